/* potok-scheduler - cuts work into jobs, spends each portal's budget, watches over every attempt; see
 * README.md */
#include "scheduler.h"

int main(int argc, char **argv)
{
    return app_main(argc, argv, &SCHEDULER);
}
