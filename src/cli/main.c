#include "cli/cli.h"
#include "os/signal.h"

int main(int argc, char **argv)
{
    struct cli cli;
    os_signal_ignore_file_size();
    cli_init(&cli);
    return cli_main(&cli, argc, argv);
}
