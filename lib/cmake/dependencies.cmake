# Everything rill is built from. Each find sets what lib/cmake/summary.cmake prints.
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(xsimd REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenMP COMPONENTS CXX)
find_package(dnnl QUIET)
find_package(LAPACK QUIET)
find_package(xtensor QUIET)
