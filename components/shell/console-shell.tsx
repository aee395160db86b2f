"use client";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { KillBanner } from "@/components/kill-switches/kill-banner";
import { OwnSessionsDialog } from "@/components/sessions/own-sessions-dialog";
import { CommandPalette } from "@/components/shell/command-palette";
import { DemoBanner } from "@/components/shell/demo-banner";
import type { KeyAct } from "@/components/shell/key-steps";
import { KeysDialog } from "@/components/shell/keys-dialog";
import { MeProvider } from "@/components/shell/me-context";
import { hrefOf, visibleEntries } from "@/components/shell/nav-entries";
import { Rail } from "@/components/shell/rail";
import { railCookie } from "@/components/shell/rail-cookie";
import { TopBar } from "@/components/shell/top-bar";
import { useConsoleKeys } from "@/components/shell/use-console-keys";
import { useSingleKeys } from "@/components/shell/use-single-keys";
import { cn } from "@/components/ui/cn";
import { meQuery } from "@/lib/client/me";
import type { MeView } from "@/lib/tenants/schemas";

export type ConsoleShellProps = {
  /** As the server saw the person when it drew the page. */
  readonly me: MeView;
  /** Slug of the tenant whose pages these are; null on platform pages. */
  readonly tenant: string | null;
  readonly startCollapsed: boolean;
  readonly children: ReactNode;
};

type Open = "palette" | "keys" | "sessions" | "rail" | null;

/** The frame of every page after sign-in: rail, top bar, keys, and the page itself. */
export function ConsoleShell({ me: atFirst, tenant, startCollapsed, children }: ConsoleShellProps) {
  const { data: me } = useQuery({ ...meQuery(tenant), initialData: atFirst });
  const router = useRouter();
  const [collapsed, setCollapsed] = useState(startCollapsed);
  const [open, setOpen] = useState<Open>(null);
  const [singleKeys] = useSingleKeys();
  const toggle = () => {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in Firefox and Safari
    document.cookie = railCookie(!collapsed);
    setCollapsed(!collapsed);
  };
  useConsoleKeys(singleKeys, (act) => perform(act, { me, tenant, open: setOpen, go: (href) => router.push(href) }));
  const opener = (what: Exclude<Open, null>) => (next: boolean) => setOpen(next ? what : null);
  return (
    <MeProvider me={me}>
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent"
      >
        Skip to the page
      </a>
      <div className="flex min-h-dvh">
        <div
          data-no-print
          className={cn(
            "sticky top-0 hidden h-dvh shrink-0 border-r border-line sm:block",
            collapsed ? "w-14" : "w-56",
          )}
        >
          <Rail me={me} tenant={tenant} collapsed={collapsed} onToggle={toggle} />
        </div>
        <RailSheet me={me} tenant={tenant} open={open === "rail"} onOpenChange={opener("rail")} />
        <div className="flex min-w-0 flex-1 flex-col">
          {me.demo ? <DemoBanner /> : null}
          {tenant === null ? null : <KillBanner tenant={tenant} />}
          <TopBar
            tenant={tenant}
            onOpenRail={() => setOpen("rail")}
            onOpenPalette={() => setOpen("palette")}
            onShowKeys={() => setOpen("keys")}
            onShowSessions={() => setOpen("sessions")}
          />
          <main id="content" tabIndex={-1} className="flex min-w-0 flex-1 flex-col gap-4 p-3 outline-none sm:p-6">
            {children}
          </main>
        </div>
      </div>
      <CommandPalette
        tenant={tenant}
        open={open === "palette"}
        onOpenChange={opener("palette")}
        onShowKeys={() => setOpen("keys")}
        onShowSessions={() => setOpen("sessions")}
      />
      <KeysDialog open={open === "keys"} onOpenChange={opener("keys")} />
      {open === "sessions" ? <OwnSessionsDialog onClose={() => setOpen(null)} /> : null}
    </MeProvider>
  );
}

type Hands = {
  readonly me: MeView;
  readonly tenant: string | null;
  readonly open: (what: Open) => void;
  readonly go: (href: string) => void;
};

function perform(act: KeyAct, { me, tenant, open, go }: Hands): void {
  switch (act.kind) {
    case "palette":
      open("palette");
      return;
    case "help":
      open("keys");
      return;
    case "filter":
      document.querySelector<HTMLElement>("[data-filter]")?.focus();
      return;
    case "goto": {
      const entry = visibleEntries(me.permissions).find((candidate) => candidate.key === act.key);
      if (entry !== undefined && tenant !== null) go(hrefOf(entry, tenant));
      return;
    }
    case "await-goto":
      return;
  }
}

function RailSheet(props: {
  readonly me: MeView;
  readonly tenant: string | null;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}) {
  return (
    <Radix.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-[#000]/50" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-50 w-72 max-w-[85vw] animate-slide-in-left border-r border-line bg-surface outline-none"
        >
          <Radix.Title className="sr-only">Navigation</Radix.Title>
          <Rail me={props.me} tenant={props.tenant} collapsed={false} onNavigate={() => props.onOpenChange(false)} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
