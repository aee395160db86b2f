import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { ConsoleShell } from "@/components/shell/console-shell";
import { RAIL_COOKIE, RAIL_NARROW } from "@/components/shell/rail-cookie";
import { platformPageContext } from "@/lib/auth/request-context";

export default async function PlatformLayout({ children }: { readonly children: ReactNode }) {
  const { me } = await platformPageContext();
  const collapsed = (await cookies()).get(RAIL_COOKIE)?.value === RAIL_NARROW;
  return (
    <ConsoleShell me={me} tenant={null} startCollapsed={collapsed}>
      {children}
    </ConsoleShell>
  );
}
