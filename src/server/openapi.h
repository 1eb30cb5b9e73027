/* openapi.h -- the description of the HTTP interface, as /openapi.json serves it. */
#ifndef YORE_SERVER_OPENAPI_H
#define YORE_SERVER_OPENAPI_H

extern const char openapi_text[];

#endif
