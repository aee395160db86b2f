"use client";
import { createContext, type ReactNode, useContext, useMemo } from "react";
import { covers } from "@/lib/core/permission";
import type { MeView } from "@/lib/tenants/schemas";

const MeContext = createContext<MeView | null>(null);

export function MeProvider({ me, children }: { readonly me: MeView; readonly children: ReactNode }) {
  return <MeContext.Provider value={me}>{children}</MeContext.Provider>;
}

/** The signed-in person, inside the console. */
export function useMe(): MeView {
  const me = useContext(MeContext);
  if (me === null) throw new Error("useMe outside of the console's layout");
  return me;
}

/** Whether to offer something that needs `permission`. The server decides again. */
export function useMay(permission: string): boolean {
  const { permissions } = useMe();
  return useMemo(() => covers(new Set(permissions), permission), [permissions, permission]);
}
