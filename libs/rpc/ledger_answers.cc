#include "libs/rpc/ledger_answers.h"

#include "libs/rpc/proto_time.h"

namespace guilder::rpc {

guilder::type::v1::JournalReceipt ToProto(const ledger::JournalPlace& place) {
  guilder::type::v1::JournalReceipt receipt;
  receipt.set_book(place.book.value());
  receipt.set_number(place.number.value());
  receipt.set_leaf_hash(place.leaf.data(), place.leaf.size());
  *receipt.mutable_posted_at() = ToProto(place.posted_at);
  return receipt;
}

}  // namespace guilder::rpc
