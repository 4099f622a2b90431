// What fuzz targets share.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace guilder::fuzz {

// Ends the program, so that libFuzzer keeps the input.
[[noreturn]] inline void Fail(const char* file, int line, const char* property) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
  std::abort();
}

inline std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Takes the first byte, which chooses what the rest is given to; zero of nothing.
inline uint8_t TakeByte(std::string_view& bytes) {
  if (bytes.empty()) return 0;
  const auto byte = static_cast<uint8_t>(bytes.front());
  bytes.remove_prefix(1);
  return byte;
}

}  // namespace guilder::fuzz

// A property of the code under test; holds in every build.
#define FUZZ_CHECK(property) \
  ((property) ? static_cast<void>(0) : ::guilder::fuzz::Fail(__FILE__, __LINE__, #property))
