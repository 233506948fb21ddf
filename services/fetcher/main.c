/* potok-fetcher - makes the calls to the portals, one per job; see README.md and proto/flows/. */
#include "fetcher.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, &FETCHER);
}
