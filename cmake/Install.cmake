# `cmake --install`: binaries, protos, client stubs and a CMake package.
