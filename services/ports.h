/* ports.h - the metrics port of each service, from services.def. */
#pragma once

enum service_port {
#define SERVICE(name, port, instances, up) PORT_##name = port,
#include "services/services.def"
#undef SERVICE
};
