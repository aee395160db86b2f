"use client";
import { Check, ChevronsUpDown } from "lucide-react";
import { useSessionActs } from "@/components/shell/use-session-acts";
import { ZoneBadges } from "@/components/shell/zone-badges";
import { cn } from "@/components/ui/cn";
import { DropdownMenu, MenuItem, MenuLabel } from "@/components/ui/dropdown-menu";
import type { MeView } from "@/lib/tenants/schemas";

type Props = { readonly me: MeView; readonly tenant: string | null; readonly collapsed: boolean };

/** By how many one has. Who runs the installation need not belong to any. */
const LABELS = ["You belong to no tenant.", "Your tenant"];

const initials = (name: string) => name.slice(0, 2).toUpperCase();

/** The tenant one is in, always on top; a menu where one has several. */
export function TenantSwitcher({ me, tenant, collapsed }: Props) {
  const current = me.tenants.find((candidate) => candidate.slug === tenant) ?? me.activeTenant;
  const { goToTenant } = useSessionActs();
  const name = tenant === null ? "Platform" : (current?.name ?? tenant);
  return (
    <div className={cn("flex flex-col gap-1 border-b border-line p-2", collapsed && "items-center")}>
      <DropdownMenu
        align="start"
        trigger={
          <button
            type="button"
            aria-label={`Tenant ${name}, switch`}
            className="flex h-8 w-full min-w-0 items-center gap-2 rounded-md px-2 text-left hover:bg-hover"
          >
            {collapsed ? (
              <span className="text-xs font-semibold">{initials(name)}</span>
            ) : (
              <>
                <span className="min-w-0 flex-1 truncate font-semibold">{name}</span>
                <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted" />
              </>
            )}
          </button>
        }
      >
        <MenuLabel>{LABELS[me.tenants.length] ?? "Your tenants"}</MenuLabel>
        {me.tenants.map((candidate) => (
          <MenuItem key={candidate.id} onSelect={() => goToTenant(candidate.slug)}>
            <Check aria-hidden className={cn(candidate.slug !== tenant && "invisible")} />
            <span className="flex-1">{candidate.name}</span>
            <ZoneBadges zones={candidate.zones} />
          </MenuItem>
        ))}
      </DropdownMenu>
      {!collapsed && current && tenant !== null ? (
        <div className="flex flex-wrap items-center gap-1 px-2 pb-1">
          <ZoneBadges zones={current.zones} />
          <span className="text-xs text-muted">data in {current.residency.toUpperCase()}</span>
        </div>
      ) : null}
    </div>
  );
}
