import { newId } from "@/lib/core/ids";
import { singleton } from "@/lib/core/singleton";
import manifest from "@/package.json";

/** The id of this process in the trail; a new one at every start. */
export const gatewayId = (): string => singleton("audit.gateway-id", newId);

export const GATEWAY_VERSION: string = manifest.version;
