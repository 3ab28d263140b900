#ifndef USHER_COLLECTION_H_
#define USHER_COLLECTION_H_

// Collections as the Windows Update Agent has them: bounds-checked, and
// refusing changes when read-only. They are values, as thread-safe as a
// std::vector; elements that are handles (Update) are shared by copies.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/error.h"

namespace usher {

namespace internal {
// True for an element that stands for a null pointer. Overloaded for handles.
template <typename T>
bool IsNullElement(const T&) {
  return false;
}
}  // namespace internal

// IStringCollection, IUpdateCollection and the read-only ones. Errors:
// WU_E_INVALIDINDEX (0x80240007) for an index outside the collection,
// WU_E_NOT_SUPPORTED (0x80240037) for a change of a read-only one, E_POINTER
// for an empty handle.
template <typename T>
class Collection {
 public:
  using value_type = T;
  using const_iterator = typename std::vector<T>::const_iterator;

  // Empty and writable (UAMG-147).
  Collection() = default;
  explicit Collection(std::vector<T> items, bool read_only = false)
      : items_(std::move(items)), read_only_(read_only) {}

  int Count() const { return static_cast<int>(items_.size()); }
  bool empty() const { return items_.empty(); }
  bool ReadOnly() const { return read_only_; }

  // The element at `index`, 0 … Count()-1 (UAMG-139).
  absl::StatusOr<T> Item(int index) const {
    if (index < 0 || index >= Count()) return OutOfRange(index);
    return items_[static_cast<size_t>(index)];
  }

  // Replaces the element at `index` (UAMG-140).
  absl::Status SetItem(int index, T value) {
    USHER_RETURN_IF_ERROR(CheckWritable());
    USHER_RETURN_IF_ERROR(CheckElement(value));
    if (index < 0 || index >= Count()) return OutOfRange(index);
    items_[static_cast<size_t>(index)] = std::move(value);
    return absl::OkStatus();
  }

  // Appends; returns the new element's index, the old Count() (UAMG-142).
  absl::StatusOr<int> Add(T value) {
    USHER_RETURN_IF_ERROR(CheckWritable());
    USHER_RETURN_IF_ERROR(CheckElement(value));
    items_.push_back(std::move(value));
    return Count() - 1;
  }

  // Inserts before `index`; Count() appends (UAMG-143, 144, 152).
  absl::Status Insert(int index, T value) {
    USHER_RETURN_IF_ERROR(CheckWritable());
    USHER_RETURN_IF_ERROR(CheckElement(value));
    if (index < 0 || index > Count()) return OutOfRange(index);
    items_.insert(items_.begin() + index, std::move(value));
    return absl::OkStatus();
  }

  // Removes the element at `index` (UAMG-145).
  absl::Status RemoveAt(int index) {
    USHER_RETURN_IF_ERROR(CheckWritable());
    if (index < 0 || index >= Count()) return OutOfRange(index);
    items_.erase(items_.begin() + index);
    return absl::OkStatus();
  }

  absl::Status Clear() {
    USHER_RETURN_IF_ERROR(CheckWritable());
    items_.clear();
    return absl::OkStatus();
  }

  // A writable collection of the same elements in the same order, independent
  // of this one (UAMG-146, 150).
  Collection Copy() const { return Collection(items_); }

  const_iterator begin() const { return items_.begin(); }
  const_iterator end() const { return items_.end(); }

 private:
  absl::Status OutOfRange(int index) const {
    return Error(hr::kWuEInvalidindex,
                 absl::StrCat("index ", index, " is outside a collection of ",
                              Count(), "; use 0 to Count()-1"),
                 "index");
  }
  absl::Status CheckWritable() const {
    if (!read_only_) return absl::OkStatus();
    return Error(hr::kWuENotSupported,
                 "the collection is read-only; change a Copy() of it");
  }
  static absl::Status CheckElement(const T& value) {
    using internal::IsNullElement;
    if (!IsNullElement(value)) return absl::OkStatus();
    return Error(hr::kEPointer, "the element is an empty handle", "value");
  }

  std::vector<T> items_;
  bool read_only_ = false;
};

using StringCollection = Collection<std::string>;

}  // namespace usher

#endif  // USHER_COLLECTION_H_
