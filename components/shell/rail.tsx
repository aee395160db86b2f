"use client";
import { PanelLeftClose, PanelLeftOpen } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { FiringBadge } from "@/components/alerts/firing-badge";
import { hrefOf, type NavEntry, PLATFORM_ENTRIES, visibleEntries } from "@/components/shell/nav-entries";
import { TenantSwitcher } from "@/components/shell/tenant-switcher";
import { cn } from "@/components/ui/cn";
import { Tooltip } from "@/components/ui/tooltip";
import type { MeView } from "@/lib/tenants/schemas";

export type RailProps = {
  readonly me: MeView;
  readonly tenant: string | null;
  readonly collapsed: boolean;
  /** Absent in the sheet of narrow screens. */
  readonly onToggle?: () => void;
  readonly onNavigate?: () => void;
};

type ItemProps = Pick<RailProps, "tenant" | "collapsed" | "onNavigate"> & { readonly entry: NavEntry };

function RailItem({ entry, tenant, collapsed, onNavigate }: ItemProps) {
  const pathname = usePathname();
  const href = hrefOf(entry, tenant);
  const active = pathname === href || pathname.startsWith(`${href}/`);
  const Icon = entry.icon;
  const link = (
    <Link
      href={href}
      onClick={() => onNavigate?.()}
      aria-current={active ? "page" : undefined}
      className={cn(
        "relative flex h-8 items-center gap-3 rounded-md px-2 text-base text-muted hover:bg-hover hover:text-text",
        collapsed && "justify-center",
        active && "bg-accent-soft font-medium text-accent-text hover:bg-accent-soft hover:text-accent-text",
      )}
    >
      <Icon aria-hidden className="size-4 shrink-0" />
      <span className={cn(collapsed && "sr-only")}>{entry.label}</span>
      {entry.path === "alerts" && tenant !== null ? <FiringBadge tenant={tenant} small={collapsed} /> : null}
    </Link>
  );
  return (
    <li>
      {collapsed ? (
        <Tooltip content={entry.label} side="right">
          {link}
        </Tooltip>
      ) : (
        link
      )}
    </li>
  );
}

/** Tenant on top, the sections this person may open, platform below. */
export function Rail({ me, tenant, collapsed, onToggle, onNavigate }: RailProps) {
  const shared = { tenant, collapsed, ...(onNavigate === undefined ? {} : { onNavigate }) };
  const entries = tenant === null ? [] : visibleEntries(me.permissions);
  return (
    <nav aria-label="Main" className="flex h-full flex-col bg-surface">
      <TenantSwitcher me={me} tenant={tenant} collapsed={collapsed} />
      <ul className="flex flex-1 flex-col gap-0.5 overflow-y-auto p-2">
        {entries.map((entry) => (
          <RailItem key={entry.path} entry={entry} {...shared} />
        ))}
        {me.platformAdmin ? (
          <li className="mt-4">
            <p className={cn("px-2 pb-1 text-xs text-muted", collapsed && "sr-only")}>Platform</p>
            <ul>
              {PLATFORM_ENTRIES.map((entry) => (
                <RailItem key={entry.path} entry={entry} {...shared} />
              ))}
            </ul>
          </li>
        ) : null}
      </ul>
      {onToggle ? (
        <button
          type="button"
          onClick={onToggle}
          aria-label={collapsed ? "Widen the navigation" : "Narrow the navigation"}
          aria-expanded={!collapsed}
          className={cn(
            "m-2 flex h-8 items-center gap-3 rounded-md px-2 text-sm text-muted hover:bg-hover hover:text-text",
            collapsed && "justify-center",
          )}
        >
          {collapsed ? (
            <PanelLeftOpen aria-hidden className="size-4" />
          ) : (
            <PanelLeftClose aria-hidden className="size-4" />
          )}
          {collapsed ? null : "Collapse"}
        </button>
      ) : null}
    </nav>
  );
}
