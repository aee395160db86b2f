import { type TenantView, ZONES, type Zone } from "@/lib/tenants/schemas";

export type TenantRow = {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly zones: readonly string[];
  readonly residency: string;
  readonly status: string;
  readonly createdAt: Date;
};
export type TenantCounts = { readonly memberCount: number; readonly serverCount: number; readonly agentCount: number };

const isZone = (text: string): text is Zone => ZONES.some((zone) => zone === text);

export const toTenantView = (row: TenantRow, counts: TenantCounts): TenantView => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  zones: row.zones.filter(isZone),
  residency: row.residency,
  status: row.status === "active" ? "active" : "suspended",
  createdAt: row.createdAt.toISOString(),
  ...counts,
});
