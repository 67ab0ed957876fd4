#!/usr/bin/env bash
# Uses an installed moefb as a stranger would: installs it, moves it, builds examples/ against it with CMake and pkg-config,
# shared and static, and compares every answer with moe-infer's. Nothing may come from the source or build tree.
#
#   installed_package.sh SOURCE BUILD C_COMPILER CXX_COMPILER
set -euo pipefail

source_tree=$(realpath "$1") build_tree=$(realpath "$2") cc=$3 cxx=$4
unset LD_LIBRARY_PATH CMAKE_PREFIX_PATH PKG_CONFIG_PATH moefb_DIR

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/moved/moefb
cd "$work"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# Runs a command whose output interests nobody unless it fails.
quietly() {
  "$@" >log 2>&1 || { cat log >&2; fail "$*"; }
}

# Fails if a program or library would load something of the source or build tree, or of where bootstrap put things.
check_closed() {
  local loaded tree
  loaded=$(ldd "$1") || fail "ldd $1"
  [[ $loaded != *"not found"* ]] || fail "$1 lacks a library: $loaded"
  for tree in "$source_tree" "$build_tree" "$(realpath -m "$source_tree/.deps/onednn")"; do
    [[ $loaded != *"$tree"* ]] || fail "$1 loads from $tree: $loaded"
  done
}

# An installed file may look for others only by its own place.
check_movable() {
  local path
  path=$(readelf -d "$1" | sed -n 's/.*R\(UN\)\?PATH.*\[\(.*\)\].*/\2/p')
  [[ -z $path || $path == '$ORIGIN'* && $path != *:* ]] || fail "$1 looks for libraries in $path"
}

# Compares a program's first line with the expected one.
check_answer() {
  local program=$1 answer
  shift
  check_closed "$program"
  answer=$("$program" "$@" | head -n 1) || fail "$program $*"
  [[ $answer == "$expected" ]] || fail "$program: found \"$answer\", expected \"$expected\""
  echo "ok: ${program#"$work"/}: $answer"
}

build_with_cmake() {
  local folder=$1 library=$2
  quietly cmake -S examples -B "$folder" -DCMAKE_PREFIX_PATH="$prefix" -DMOEFB_LIBRARY="$library" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_C_FLAGS=-Werror -DCMAKE_CXX_FLAGS=-Werror
  quietly cmake --build "$folder"
}

check_examples() {
  local folder=$1
  check_answer "$work/$folder/one_picture_cpp" "$model" "$picture"
  check_answer "$work/$folder/one_picture_c" "$model" "$picture"
  check_answer "$work/$folder/built_in_model" "$picture"
  check_answer "$work/$folder/several_threads" "$model" "$picture" "$picture" "$picture"
}

echo "== installed where it is not used, then moved"
quietly cmake --install "$build_tree" --component moefb --prefix "$work/first"
mkdir moved
mv first "$prefix"
cp -r "$source_tree/examples" .

model=$prefix/share/moefb/models/shapes-sparse.moefb
picture=$work/examples/images/star.jpg
[[ -z $(find "$prefix" -type f -exec grep -lIF -e "$source_tree" -e "$build_tree" {} +) ]] ||
  fail "an installed file names the source or build tree"
for file in "$prefix"/bin/* "$prefix"/lib*/*.so "$prefix"/lib*/moefb/*.so*; do
  [[ -e $file ]] || continue
  check_movable "$file"
  check_closed "$file"
done

echo "== licences"
for file in LICENSE.txt README.md; do
  cmp "$source_tree/apps/moe-infer/drawing/font/$file" "$prefix/share/doc/moefb/roboto/$file" ||
    fail "the font's $file is not installed"
done

echo "== programs"
"$prefix/bin/moe-infer" "$picture" >/dev/null || fail "moe-infer finds no default model"
"$prefix/bin/moe-info" "$model" >/dev/null
"$prefix/bin/moefb-convert" --version | grep -q '^moefb-convert ' || fail "moefb-convert does not know its name"
# One thread, as the examples have: oneDNN's last bits depend on it.
expected=$("$prefix/bin/moe-infer" --model "$model" --threads 1 --json --top 1 "$picture" |
  sed 's/.*"image": "\(.*\)", "top": \[{"class": "\(.*\)", "probability": \(.*\)}\].*/\1: \2, \3/')
[[ $expected == "$picture: star, 0."* ]] || fail "moe-infer answers \"$expected\""

echo "== libmoefb.so shows our API, and nothing else"
hidden=$(nm -D --defined-only --format=posix "$prefix"/lib*/libmoefb.so | cut -d' ' -f1 | c++filt |
  grep -v -e '^moefb::' -e '^moefb_get_api$' -e '^moefb_version$' || true)
[[ -z $hidden ]] || fail "libmoefb.so shows $hidden"
inner=$(nm -D --defined-only --format=posix "$prefix"/lib*/libmoefb.so | cut -d' ' -f1 | c++filt |
  grep -e '^moefb::\(cpu\|detail\|format\|graph\|image\|kernels\|plan\|fb\|container\|c_api\)::' || true)
[[ -z $inner ]] || fail "libmoefb.so shows $inner"

echo "== find_package"
build_with_cmake shared moefb::runtime
check_examples shared
build_with_cmake static moefb::runtime_static
check_examples static
! readelf -d static/one_picture_cpp | grep -q libmoefb || fail "the static program needs libmoefb.so"

echo "== pkg-config"
PKG_CONFIG_PATH=$(echo "$prefix"/lib*/pkgconfig)
export PKG_CONFIG_PATH
read -ra shared <<<"$(pkg-config --cflags --libs moefb) -Wl,-rpath,$(pkg-config --variable=libdir moefb)"
read -ra static <<<"$(pkg-config --cflags --libs moefb-static)"
quietly "$cc" -std=c99 -Wall -Wextra -pedantic -Werror examples/one_picture.c "${shared[@]}" -o pc_c
quietly "$cxx" -std=c++20 -Wall -Wextra -Werror examples/one_picture.cpp "${shared[@]}" -o pc_cpp
quietly "$cc" -std=c99 -Wall -Wextra -pedantic -Werror examples/one_picture.c "${static[@]}" -o pc_c_static
for program in pc_c pc_cpp pc_c_static; do check_answer "$work/$program" "$model" "$picture"; done
