/* gateway - takes webhooks; see README.md */
#include "gateway.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, &GATEWAY);
}
