// Where a module stands in its model, and what it is called.
#pragma once

#include <atomic>
#include <string>
#include <typeinfo>

#include <rill/nn/module.h>

namespace rill::nn {

/// The name of the module's class without namespaces.
std::string class_name(const Module& m);
std::string class_name(const std::type_info& type);

namespace detail {
/// Remembers the path; equal paths share one string, so that modules may be listed from several threads.
void set_place(std::atomic<const std::string*>& place, const std::string& path);
}  // namespace detail

}  // namespace rill::nn
