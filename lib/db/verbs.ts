import "server-only";
import { verbsOver } from "@/lib/core/verb";
import type { PlatformTx, TenantTx } from "@/lib/db/in-tenant";

const tenant = verbsOver<TenantTx>("tenant");
const platform = verbsOver<PlatformTx>("platform");

/** A verb over one tenant's rows. */
export const defineWrite = tenant.defineWrite;
export const defineRead = tenant.defineRead;

/** A verb over the platform's own rows: people, sessions, tenants. */
export const definePlatformWrite = platform.defineWrite;
export const definePlatformRead = platform.defineRead;
