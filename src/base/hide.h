/* hide.h -- where a server keeps its files is told to its log, not to its clients. */
#ifndef YORE_BASE_HIDE_H
#define YORE_BASE_HIDE_H

/* Take every mention of directory `dir`, with the slash behind it, out of `text`: what it names of
 * the files below stays.  NULL or "": nothing is hidden. */
void hide_dir(char *text, const char *dir);

#endif
