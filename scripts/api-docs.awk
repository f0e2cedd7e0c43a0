# For scripts/api-docs: Doxygen reads each file through this; `root` is the folder of the tree, `main` the first page. A header becomes a group, within
# those of its folders, of all that is in its namespaces, with its first comment as text. What is set in stays as it was
# typed, and no sign of C++ is taken for a command of Doxygen's. On a page of Markdown links to headers lead to their groups,
# and those that lead out of the pages become plain words.
function id_of(path) {
  gsub(/[^A-Za-z0-9]/, "_", path)
  return path
}
function in_plain(text) {
  gsub(/[\\@<>&#%]/, "\\\\&", text)
  return text
}
# Between backquotes stands code, as in Markdown, but without its rules for what a quote may hold.
function escaped(text,   whole) {
  whole = ""
  while (match(text, /`[^`]+`/)) {
    whole = whole in_plain(substr(text, 1, RSTART - 1)) "<code>" in_plain(substr(text, RSTART + 1, RLENGTH - 2)) "</code>"
    text = substr(text, RSTART + RLENGTH)
  }
  text = whole in_plain(text)
  gsub(/ \.\./, " \\.\\.", text)  # which would end a list
  gsub(/et al\. /, "et al.\\ ", text)  # which would end a sentence
  return text
}
# A path on the page `name`, from the tree on.
function from_tree(path) {
  if (path ~ /^https?:/ || name !~ /^docs\//) return path
  return sub(/^\.\.\//, "", path) ? path : "docs/" path
}
# [words](path) of a page, and `lib/base/error.h`.
function linked(line,   whole, words, path) {
  while (match(line, /`(lib|autograd|layers|optim|data|exchange|train)\/[a-z0-9_\/]+\.h`/)) {
    path = substr(line, RSTART + 1, RLENGTH - 2)
    line = substr(line, 1, RSTART - 1) "@ref " id_of(path) " \"" path "\"" substr(line, RSTART + RLENGTH)
  }
  whole = ""
  while (match(line, /\[[^]]*\]\([^)]*\)/)) {
    whole = whole substr(line, 1, RSTART - 1)
    words = substr(line, RSTART, RLENGTH)
    line = substr(line, RSTART + RLENGTH)
    path = words
    sub(/^.*\]\(/, "", path)
    sub(/\)$/, "", path)
    sub(/\]\(.*$/, "", words)
    sub(/^\[/, "", words)
    path = from_tree(path)
    if (path == main)
      whole = whole "@ref index \"" words "\""
    else if (path ~ /^(CONTRIBUTING|docs\/.*)\.md$|\.h$/)
      whole = whole "@ref " id_of(path) " \"" words "\""
    else if (path ~ /^https?:|\.png$|\.svg$/)
      whole = whole "[" words "](" path ")"
    else
      whole = whole words
  }
  return whole line
}
function end_code() {
  if (code != "") print indent "/// @code{" (code ~ /[;{]/ ? ".cpp" : ".unparsed") "}\n" code indent "/// @endcode"
  code = ""
}
# A line of a comment, without its mark.
function say(text) {
  if (text ~ /^   /) {
    code = code indent "///" text "\n"
  } else {
    end_code()
    print indent "///" escaped(text)
  }
}

FNR == 1 { name = substr(FILENAME, length(root) + 2) }
FNR == 1 && name ~ /\.h$/ {
  folder = file = name
  sub(/\/[^\/]*$/, "", folder)
  sub(/^.*\//, "", file)
  print "/// @defgroup " id_of(name) " " file
  print "/// @ingroup " id_of(folder)
  head = 1
}
FNR == 1 && name ~ /\.md$/ {
  print $0 " {#" (name == main ? "mainpage" : id_of(name)) "}"
  next
}
name ~ /\.md$/ {
  if (/^```/) {
    fenced = !fenced
    sub(/ .*/, "")  # the file that is written
    print
  } else {
    print fenced || /^    / ? $0 : linked($0)
  }
  next
}
name !~ /\.h$/ {
  print
  next
}
head && /^\/\// {
  say(substr($0, 3))
  next
}
head {
  end_code()
  print "///\n/// <code>\\#include \\<weft/" name "\\></code>"
  head = 0
}
/^namespace weft.*\{$/ {
  print $0 "\n/// @addtogroup " id_of(name) "\n/// @{\n"
  next
}
/^}  \/\/ namespace weft/ { print "/// @}" }
/^ *\/\/\/([^<]|$)/ {
  indent = $0
  sub(/\/.*/, "", indent)
  say(substr($0, length(indent) + 4))
  next
}
{ end_code() }
match($0, /\/\/\/< /) { $0 = substr($0, 1, RSTART + 4) escaped(substr($0, RSTART + 5)) }
{ print }
