/* potok-mapper - turns a portal's records into typed rows; see README.md and proto/flows/. */
#include "mapper.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, &MAPPER);
}
