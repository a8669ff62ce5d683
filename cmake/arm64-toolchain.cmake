# Cross compilation to 64-bit ARM on Debian: g++-aarch64-linux-gnu, and libraries from Debian's own
# arm64 packages (multiarch). Tests run under qemu-user; QEMU_CPU in the environment names the
# processor to emulate (cortex-a76, max). Used by the preset `arm`, which `./dev arm` calls.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
