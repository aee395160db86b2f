import { Badge } from "@/components/ui/badge";
import { ZONES, type Zone } from "@/lib/tenants/schemas";

export const ZONE_NAME: Readonly<Record<Zone, string>> = {
  hipaa: "HIPAA",
  sox: "SOX",
  gdpr: "GDPR",
  pci_dss: "PCI DSS",
};

const isZone = (zone: string): zone is Zone => ZONES.some((known) => known === zone);

export function ZoneBadges({ zones }: { readonly zones: readonly string[] }) {
  return zones.map((zone) => (
    <Badge key={zone} tone="info">
      {isZone(zone) ? ZONE_NAME[zone] : zone}
    </Badge>
  ));
}
