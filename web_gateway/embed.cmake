# Writes a C++ file that holds files as bytes; run by the build (cmake -P).
#
#   cmake -DOUT=x.cc -DHEADER=a/b.h -DNAMESPACE=a::b -DSIGNATURE="std::vector<File> Files()" -DROOT=dir "-DFILES=a;b/c"
#         -P embed.cmake
#
# The function of that signature returns a list of {path relative to ROOT, content}.
set(text "// Written by embed.cmake: files as bytes.\n#include \"${HEADER}\"\n\n#include <string>\n\nnamespace ${NAMESPACE} {\nnamespace {\n\n")
set(entries "")
set(index 0)
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  # A line for each 32 bytes; an array may not be empty, so one byte more than the content stands there.
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  string(APPEND text "constexpr unsigned char kFile${index}[] = {\n${bytes}0x00};\n\n")
  string(APPEND entries "      {\"${file}\", std::string(reinterpret_cast<const char*>(kFile${index}), ${size})},\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND text "}  // namespace\n\n${SIGNATURE} {\n  return {\n${entries}  };\n}\n\n}  // namespace ${NAMESPACE}\n")
file(WRITE "${OUT}" "${text}")
