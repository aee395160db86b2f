"use client";
import { Menu, Search } from "lucide-react";
import { Breadcrumb } from "@/components/shell/breadcrumb";
import { useMe } from "@/components/shell/me-context";
import { PersonMenu } from "@/components/shell/person-menu";
import { ThemeSwitch } from "@/components/shell/theme-switch";
import { Button } from "@/components/ui/button";
import { Kbd } from "@/components/ui/kbd";

type Props = {
  readonly tenant: string | null;
  readonly onOpenRail: () => void;
  readonly onOpenPalette: () => void;
  readonly onShowKeys: () => void;
  readonly onShowSessions: () => void;
};

export function TopBar({ tenant, onOpenRail, onOpenPalette, onShowKeys, onShowSessions }: Props) {
  const me = useMe();
  const name = tenant === null ? "Platform" : (me.tenants.find((other) => other.slug === tenant)?.name ?? tenant);
  return (
    <header
      data-no-print
      className="sticky top-0 z-30 flex h-12 items-center gap-2 border-b border-line bg-page px-3 sm:px-6"
    >
      <Button variant="ghost" size="icon" aria-label="Open the navigation" className="sm:hidden" onClick={onOpenRail}>
        <Menu aria-hidden />
      </Button>
      <Breadcrumb tenantName={name} tenant={tenant} />
      <Button
        variant="secondary"
        onClick={onOpenPalette}
        aria-label="Search and go"
        className="font-normal text-muted max-sm:w-8 max-sm:border-transparent max-sm:p-0"
      >
        <Search aria-hidden />
        <span className="max-sm:hidden">Search</span>
        <Kbd className="max-sm:hidden">Ctrl K</Kbd>
      </Button>
      <ThemeSwitch />
      <PersonMenu me={me} onShowKeys={onShowKeys} onShowSessions={onShowSessions} />
    </header>
  );
}
