/* ports.h - where services listen: the metrics port of each, from services.def, and the gateway's own. */
#pragma once

enum service_port {
#define SERVICE(name, port, instances, up) PORT_##name = port,
#include "services/services.def"
#undef SERVICE
};

/* Without GATEWAY_LISTEN: with a token to check webhooks by, and without. */
#define GATEWAY_LISTEN_OPEN   "0.0.0.0:8080"
#define GATEWAY_LISTEN_CLOSED "127.0.0.1:8080"
