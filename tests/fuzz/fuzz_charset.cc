// Any bytes in any charset: the first byte chooses what is declared. What comes out is UTF-8.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"

#include "common/text.h"
#include "extraction/charset.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static constexpr std::array<absl::string_view, 12> kDeclared = {
      "",        "utf-8",  "windows-1252", "iso-8859-2", "koi8-r", "shift_jis",
      "gb18030", "utf-16", "iso-2022-jp",  "big5",       "euc-kr", "no-such-charset"};
  if (size == 0) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)dateline::extraction::IsBinary(bytes);
  const auto decoded = dateline::extraction::DecodeText(bytes, kDeclared[data[0] % kDeclared.size()]);
  if (!dateline::common::IsValidUtf8(decoded.text)) std::abort();
  return 0;
}
