"use client";
import { Plus } from "lucide-react";
import Link from "next/link";
import { useMay } from "@/components/shell/me-context";
import { buttonClass } from "@/components/ui/button";

/** The way to a first or further server, for those who may register one. A page has it once. */
export function RegisterLink({ tenant }: { readonly tenant: string }) {
  if (!useMay("servers:write")) return null;
  return (
    <Link href={`/${tenant}/servers/new`} className={buttonClass({ variant: "primary" })}>
      <Plus aria-hidden />
      Register a server
    </Link>
  );
}
