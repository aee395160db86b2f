import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { ConsoleShell } from "@/components/shell/console-shell";
import { RAIL_COOKIE, RAIL_NARROW } from "@/components/shell/rail-cookie";
import { pageContext } from "@/lib/auth/request-context";

type Props = { readonly params: Promise<{ tenant: string }>; readonly children: ReactNode };

export default async function ConsoleLayout({ params, children }: Props) {
  const { tenant } = await params;
  const { me } = await pageContext(tenant);
  const collapsed = (await cookies()).get(RAIL_COOKIE)?.value === RAIL_NARROW;
  return (
    <ConsoleShell me={me} tenant={tenant} startCollapsed={collapsed}>
      {children}
    </ConsoleShell>
  );
}
