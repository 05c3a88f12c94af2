// Text for language models: vocabularies, files of words or characters, batches that follow each other in time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rill/core/tensor.h>

namespace rill::data {

/// Words with numbers from 0 on.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// In this order. ValueError for a word that comes twice.
  explicit Vocabulary(std::vector<std::string> words);
  /// The most frequent word first, equally frequent ones by their bytes.
  static Vocabulary by_frequency(const std::vector<std::string>& text);
  /// Every byte that occurs is a word, in ascending order.
  static Vocabulary of_characters(const std::string& text);

  std::int64_t size() const { return static_cast<std::int64_t>(words_.size()); }
  bool contains(const std::string& word) const;
  /// ValueError for a word that is not there, unless the vocabulary has "<unk>", which stands for it.
  std::int64_t id(const std::string& word) const;
  /// IndexError outside.
  const std::string& word(std::int64_t id) const;
  /// int64 [number of words].
  Tensor encode(const std::vector<std::string>& words) const;
  /// The bytes of a text, one id each.
  Tensor encode(const std::string& text) const;
  /// The words of ids of any shape, one after the other with `between` between them.
  std::string decode(const Tensor& ids, const std::string& between = "") const;

 private:
  const std::int64_t* find(const std::string& word) const;
  std::vector<std::string> words_;
  std::vector<std::int64_t> sorted_;  // ids in the order of their words
};

/// The words of a file, split at white space, with "<eos>" for each end of a line. Throws NotFound, IoError.
std::vector<std::string> read_words(const std::string& path);
/// The whole file. Throws NotFound, IoError.
std::string read_text(const std::string& path);

struct Ptb {
  Tensor train, valid, test;  ///< ids, int64
  Vocabulary vocabulary;      ///< of the training text, by frequency
};
/// The Penn Treebank as prepared by Mikolov, or any text in its form: ptb.train.txt, ptb.valid.txt and ptb.test.txt in one folder.
/// Throws NotFound; ValueError for a word that the training text does not have, unless it has "<unk>".
Ptb read_ptb(const std::string& folder);

/// A sequence cut into `rows` that are read side by side, `steps` tokens at a time: row r of batch i + 1 goes on where row r of batch i
/// ended, so that a recurrent state can be handed on. What does not fill a batch at the end is left out.
class TokenBatches {
 public:
  struct Batch { Tensor inputs, targets; };  ///< int64 [rows, steps]; targets are one step ahead

  /// ids int64 [n], n > rows * steps. ShapeError, DtypeError; ValueError for sizes below 1 and for too few tokens.
  TokenBatches(const Tensor& ids, std::int64_t rows, std::int64_t steps);
  /// floor((n - 1) / (rows * steps)).
  std::int64_t size() const { return size_; }
  /// IndexError outside.
  Batch operator[](std::int64_t i) const;

 private:
  Tensor inputs_, targets_;  // [rows, size * steps]
  std::int64_t steps_, size_;
};

}  // namespace rill::data
