import type { Resource } from "@opentelemetry/resources";
import { GATEWAY_VERSION, gatewayId } from "@/lib/audit/gateway-identity";
import { withoutEnd } from "@/lib/core/without-end";

/** Who tells: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES may say otherwise, and more. */
export async function telemetryResource(): Promise<Resource> {
  const { detectResources, envDetector, resourceFromAttributes } = await import("@opentelemetry/resources");
  const own = {
    "service.name": "countersign",
    "service.version": GATEWAY_VERSION,
    "service.instance.id": gatewayId(),
  };
  return resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] }));
}

/** Where a signal goes: the standard says that its path is added. */
export const receiverOf = (endpoint: string, signal: "traces" | "metrics"): string =>
  `${withoutEnd(endpoint, "/")}/v1/${signal}`;
