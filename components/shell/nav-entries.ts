import {
  Activity,
  BellRing,
  Bot,
  Building2,
  KeyRound,
  type LucideIcon,
  ScrollText,
  ServerCog,
  Settings,
  Users,
} from "lucide-react";
import { covers } from "@/lib/core/permission";

export type NavEntry = {
  /** Path inside the tenant; a leading slash means outside any tenant. */
  readonly path: string;
  readonly label: string;
  readonly icon: LucideIcon;
  /** What one must hold to see it. */
  readonly needs: string;
  /** Pressed after `g`. */
  readonly key: string;
};

export const TENANT_ENTRIES: readonly NavEntry[] = [
  { path: "overview", label: "Overview", icon: Activity, needs: "metrics:read", key: "o" },
  { path: "alerts", label: "Alerts", icon: BellRing, needs: "alerts:read", key: "l" },
  { path: "servers", label: "Servers", icon: ServerCog, needs: "servers:read", key: "s" },
  { path: "access", label: "Access", icon: KeyRound, needs: "access:read", key: "c" },
  { path: "agents", label: "Agents", icon: Bot, needs: "agents:read", key: "a" },
  { path: "audit", label: "Audit trail", icon: ScrollText, needs: "audit:read", key: "t" },
  { path: "members", label: "Members", icon: Users, needs: "members:read", key: "m" },
  { path: "settings", label: "Settings", icon: Settings, needs: "tenant:read", key: "e" },
];

export const PLATFORM_ENTRIES: readonly NavEntry[] = [
  { path: "/platform/tenants", label: "Tenants", icon: Building2, needs: "platform:tenants", key: "p" },
];

/** The entries of the tenant that these permissions open. */
export function visibleEntries(permissions: readonly string[]): readonly NavEntry[] {
  const held = new Set(permissions);
  return TENANT_ENTRIES.filter((entry) => covers(held, entry.needs));
}

export const hrefOf = (entry: NavEntry, tenant: string | null): string =>
  entry.path.startsWith("/") || tenant === null ? entry.path : `/${tenant}/${entry.path}`;

/** Segments of addresses that are no name or id of anything. */
const WORDS: Readonly<Record<string, string>> = { new: "Register", connect: "Connect", tools: "Tools" };

/** What stands before the page: the section of the path and what is open in it. */
export function crumbsOf(pathname: string): readonly { label: string; href: string | null }[] {
  const segments = pathname.split("/").filter((segment) => segment !== "");
  const inside = segments.slice(1);
  const [section, ...rest] = inside;
  if (section === undefined) return [];
  const entry = TENANT_ENTRIES.find((candidate) => candidate.path === section);
  const base = `/${segments[0]}/${section}`;
  const label = entry?.label ?? section.charAt(0).toUpperCase() + section.slice(1);
  return [
    { label, href: rest.length === 0 ? null : base },
    ...rest.map((segment, index) => ({
      label: WORDS[segment] ?? decodeURIComponent(segment),
      href: index === rest.length - 1 ? null : `${base}/${rest.slice(0, index + 1).join("/")}`,
    })),
  ];
}
