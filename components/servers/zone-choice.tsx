"use client";
import { ZONE_NAME } from "@/components/shell/zone-badges";
import { Checkbox } from "@/components/ui/checkbox";
import { Label } from "@/components/ui/label";
import { ZONES, type Zone } from "@/lib/tenants/schemas";

/** Compliance zones, any number of them. */
export function ZoneChoice({
  value,
  onChange,
  disabled,
}: {
  readonly value: readonly Zone[];
  readonly onChange: (zones: Zone[]) => void;
  readonly disabled?: boolean;
}) {
  return (
    <fieldset className="flex flex-col gap-1" disabled={disabled}>
      <legend className="text-sm font-medium">Zones</legend>
      <div className="flex flex-wrap gap-x-4 gap-y-1">
        {ZONES.map((zone) => (
          <Label key={zone} className="flex items-center gap-1 font-normal">
            <Checkbox
              checked={value.includes(zone)}
              disabled={disabled === true}
              onCheckedChange={(on) =>
                onChange(
                  on === true ? ZONES.filter((z) => z === zone || value.includes(z)) : value.filter((z) => z !== zone),
                )
              }
            />
            {ZONE_NAME[zone]}
          </Label>
        ))}
      </div>
    </fieldset>
  );
}
