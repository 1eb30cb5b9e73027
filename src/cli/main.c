#include "cli/cli.h"

int main(int argc, char **argv)
{
    struct cli cli;
    cli_init(&cli);
    return cli_main(&cli, argc, argv);
}
