"use client";
import { useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useSyncExternalStore } from "react";
import { crumbsOf } from "@/components/shell/nav-entries";
import { shortenMiddle } from "@/components/ui/format";
import { agentKeys } from "@/lib/client/agents";
import { serverKeys } from "@/lib/client/servers";

/**
 * The name of what the address shows by id, as far as the page has read it. Looks into the cache without asking:
 * a query that this made would keep the page from drawing what the server sent along.
 */
function useNameOf(tenant: string | null, pathname: string): (label: string) => string {
  const [, , section = "", id = ""] = pathname.split("/");
  const client = useQueryClient();
  const key = (section === "servers" ? serverKeys : agentKeys).detail(tenant ?? "", id);
  const name = useSyncExternalStore(
    (changed) => client.getQueryCache().subscribe(changed),
    () => client.getQueryData<{ readonly name: string }>(key)?.name,
    () => undefined,
  );
  return (label) => (label === id && name !== undefined ? name : shortenMiddle(label, 20, 8));
}

export function Breadcrumb({ tenantName, tenant }: { readonly tenantName: string; readonly tenant: string | null }) {
  const pathname = usePathname();
  const crumbs = crumbsOf(pathname);
  const nameOf = useNameOf(tenant, pathname);
  return (
    <nav aria-label="Breadcrumb" className="min-w-0 flex-1">
      <ol className="flex min-w-0 items-center gap-1.5 text-sm text-muted">
        <li className="truncate">
          {tenant === null ? (
            tenantName
          ) : (
            <Link href={`/${tenant}`} className="hover:text-text">
              {tenantName}
            </Link>
          )}
        </li>
        {crumbs.map((crumb) => (
          <li key={crumb.label} className="flex min-w-0 items-center gap-1.5">
            <span aria-hidden>/</span>
            {crumb.href === null ? (
              <span aria-current="page" className="truncate text-text" title={crumb.label}>
                {nameOf(crumb.label)}
              </span>
            ) : (
              <Link href={crumb.href} className="truncate hover:text-text">
                {nameOf(crumb.label)}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
