/* fuzz.h -- the one function of a fuzz target; its name is libFuzzer's. */
#ifndef YORE_TEST_SUPPORT_FUZZ_H
#define YORE_TEST_SUPPORT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must accept any bytes; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
