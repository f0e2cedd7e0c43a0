#include <doctest/doctest.h>
#include <weft/exchange/token_files.h>
#include <weft/lib/base/error.h>

#include "checks.h"
#include "folder.h"

namespace weft {

using test::refuses;

TEST_CASE("token files: the bytes of nanoGPT and llm.c, and back") {
  const Folder folder;
  const std::vector<int64_t> ids = {0, 513, 50256};
  const std::string plain = folder.path("plain.bin"), headed = folder.path("headed.bin"),
                    wide = folder.path("wide.bin");
  write_token_file(plain, ids, 50257, TokenFileLayout::nanogpt);
  CHECK(folder.read("plain.bin") == std::string("\0\0\x01\x02\x50\xc4", 6));
  CHECK(read_token_file(plain, 50257) == ids);
  write_token_file(headed, ids, 50257, TokenFileLayout::llm_c);
  const std::string bytes = folder.read("headed.bin");
  CHECK(bytes.size() == 1024 + 6);
  CHECK(bytes.starts_with(std::string("\x88\xd8\x34\x01\x01\0\0\0\x03\0\0\0", 12)));
  CHECK(bytes.substr(1024) == folder.read("plain.bin"));
  CHECK(read_token_file(headed, 50257) == ids);
  write_token_file(wide, ids, 128256, TokenFileLayout::llm_c);
  CHECK(folder.read("wide.bin").size() == 1024 + 12);
  CHECK(read_token_file(wide, 128256) == ids);
}

TEST_CASE("token files: what does not fit is refused") {
  const Folder folder;
  const std::string path = folder.write("a.bin", "abc");
  refuses<FileError>([&] { read_token_file(path, 1000); }, {path, "3 bytes"});
  folder.write("a.bin", "\xff\xff");
  refuses<FileError>([&] { read_token_file(path, 1000); }, {path, "id 0 is 65535, of a tokenizer of 1000"});
  write_token_file(path, std::vector<int64_t>{1, 2}, 1000, TokenFileLayout::llm_c);
  const std::string whole = folder.read("a.bin");
  folder.write("a.bin", whole.substr(0, whole.size() - 1));
  refuses<FileError>([&] { read_token_file(path, 1000); }, {path, "says it has 2 ids"});
  folder.write("a.bin", whole.substr(0, 4) + "\x09" + whole.substr(5));
  refuses<FileError>([&] { read_token_file(path, 1000); }, {path, "version 9"});
  refuses<ValueError>([&] { write_token_file(path, {}, 70000, TokenFileLayout::nanogpt); }, {"16 bits"});
  refuses<ValueError>([&] { token_file_layout_from("numpy"); }, {"'numpy' is neither"});
}

}  // namespace weft
