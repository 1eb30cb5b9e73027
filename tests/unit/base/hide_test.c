/* What clients are told of files is where they are below a server's directory. */
#include <stdio.h>
#include <string.h>

#include "base/hide.h"
#include "support/test.h"

TEST(a_directory_is_taken_out_of_a_text_wherever_it_is_named)
{
    static const struct {
        const char *text;
        const char *dir;
        const char *want;
    } cases[] = {
        {"write /var/lib/yore/a.log: no space", "/var/lib/yore", "write a.log: no space"},
        {"write /var/lib/yore/a.log: no space", "/var/lib/yore/", "write a.log: no space"},
        {"write /var/lib/yore//a.log: no space", "/var/lib/yore/", "write a.log: no space"},
        {"link /d/a to /d/b", "/d", "link a to b"},
        {"write db/a.log: no space", "db", "write a.log: no space"},
        {"open /var/lib/yore2/a", "/var/lib/yore", "open /var/lib/yore2/a"},
        {"the disk is full", "/d", "the disk is full"},
        {"/d/a", "", "/d/a"},
        {"/d/a", "/", "/d/a"},
        {"/d/a", NULL, "/d/a"},
        {"", "/d", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[100];
        snprintf(text, sizeof(text), "%s", cases[i].text);
        hide_dir(text, cases[i].dir);
        CHECK_EQ_STR(text, cases[i].want);
    }
}

TEST_MAIN(a_directory_is_taken_out_of_a_text_wherever_it_is_named)
