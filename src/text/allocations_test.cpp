// The counting operator new of text_test, in a file of its own so that it is not inlined.
#include "support/count_allocations_main.h"
