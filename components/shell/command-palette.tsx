"use client";
import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import {
  Bot,
  Building2,
  Keyboard,
  LogOut,
  type LucideIcon,
  MonitorSmartphone,
  Moon,
  ScrollText,
  ServerCog,
} from "lucide-react";
import { useRouter } from "next/navigation";
import { useTheme } from "next-themes";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { useMay, useMe } from "@/components/shell/me-context";
import { hrefOf, PLATFORM_ENTRIES, visibleEntries } from "@/components/shell/nav-entries";
import { useSessionActs } from "@/components/shell/use-session-acts";
import { agentsQuery } from "@/lib/client/agents";
import { serversQuery } from "@/lib/client/servers";

type Props = {
  readonly tenant: string | null;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly onShowKeys: () => void;
  readonly onShowSessions: () => void;
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const groupClass =
  "[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted";

function Item({
  icon: Icon,
  value,
  onSelect,
  children,
}: {
  readonly icon: LucideIcon;
  readonly value: string;
  readonly onSelect: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex min-h-8 cursor-default items-center gap-2 rounded-sm px-2 text-sm data-[selected=true]:bg-hover"
    >
      <Icon aria-hidden className="size-4 shrink-0 text-muted" />
      {children}
    </Command.Item>
  );
}

type Go = (href: string) => void;

/** Servers and agents by name; asked for only while the palette is open. */
function Things({ tenant, go }: { readonly tenant: string; readonly go: Go }) {
  const maySeeServers = useMay("servers:read");
  const maySeeAgents = useMay("agents:read");
  const servers = useQuery({ ...serversQuery(tenant), enabled: maySeeServers });
  const agents = useQuery({ ...agentsQuery(tenant), enabled: maySeeAgents });
  return (
    <>
      {servers.data?.map((server) => (
        <Item
          key={server.id}
          icon={ServerCog}
          value={`server ${server.slug} ${server.name} ${server.id}`}
          onSelect={() => go(`/${tenant}/servers/${server.id}`)}
        >
          {server.name}
        </Item>
      ))}
      {agents.data?.map((agent) => (
        <Item
          key={agent.id}
          icon={Bot}
          value={`agent ${agent.slug} ${agent.name} ${agent.id}`}
          onSelect={() => go(`/${tenant}/agents/${agent.id}`)}
        >
          {agent.name}
        </Item>
      ))}
    </>
  );
}

type PlacesProps = { readonly tenant: string | null; readonly go: Go; readonly close: () => void };

function Places({ tenant, go, close }: PlacesProps) {
  const me = useMe();
  const { goToTenant } = useSessionActs();
  const others = me.tenants.filter((other) => other.slug !== tenant);
  const entries = [
    ...(tenant === null ? [] : visibleEntries(me.permissions)),
    ...(me.platformAdmin ? PLATFORM_ENTRIES : []),
  ];
  return (
    <>
      <Command.Group heading="Go to" className={groupClass}>
        {entries.map((entry) => (
          <Item
            key={entry.path}
            icon={entry.icon}
            value={`go ${entry.label}`}
            onSelect={() => go(hrefOf(entry, tenant))}
          >
            {entry.label}
          </Item>
        ))}
      </Command.Group>
      {others.length > 0 ? (
        <Command.Group heading="Switch tenant" className={groupClass}>
          {others.map((other) => (
            <Item
              key={other.id}
              icon={Building2}
              value={`tenant ${other.slug} ${other.name}`}
              onSelect={() => {
                close();
                goToTenant(other.slug);
              }}
            >
              {other.name}
            </Item>
          ))}
        </Command.Group>
      ) : null}
    </>
  );
}

type ActsProps = Pick<Props, "onShowKeys" | "onShowSessions"> & { readonly close: () => void };

function Acts({ onShowKeys, onShowSessions, close }: ActsProps) {
  const { resolvedTheme, setTheme } = useTheme();
  const { signOut } = useSessionActs();
  return (
    <Command.Group heading="Do" className={groupClass}>
      <Item
        icon={Moon}
        value="toggle theme dark light"
        onSelect={() => {
          setTheme(resolvedTheme === "dark" ? "light" : "dark");
          close();
        }}
      >
        Switch theme
      </Item>
      <Item icon={Keyboard} value="keys shortcuts help" onSelect={onShowKeys}>
        Show keys
      </Item>
      <Item icon={MonitorSmartphone} value="your sessions devices browsers" onSelect={onShowSessions}>
        Your sessions
      </Item>
      <Item icon={LogOut} value="sign out" onSelect={signOut}>
        Sign out
      </Item>
    </Command.Group>
  );
}

/** Ctrl/Cmd-K: sections, servers, agents, tenants, and any pasted entry id. */
export function CommandPalette({ tenant, open, onOpenChange, onShowKeys, onShowSessions }: Props) {
  const router = useRouter();
  const [text, setText] = useState("");
  const close = () => {
    onOpenChange(false);
    setText("");
  };
  const go = (href: string) => {
    close();
    router.push(href);
  };
  const pastedId = UUID.test(text.trim()) ? text.trim().toLowerCase() : null;
  return (
    <Radix.Root open={open} onOpenChange={(next) => (next ? onOpenChange(true) : close())}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-[#000]/50" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-x-4 top-[12vh] z-50 mx-auto max-w-xl animate-fade-in overflow-hidden rounded-lg border border-line bg-raised text-text shadow-xl outline-none"
        >
          <Radix.Title className="sr-only">Search and go</Radix.Title>
          <Command label="Search and go" loop>
            <Command.Input
              value={text}
              onValueChange={setText}
              placeholder="Go to a page, server, agent, or paste an entry id"
              className="h-11 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-muted"
            />
            <Command.List className="max-h-[50vh] overflow-y-auto p-1">
              <Command.Empty className="px-3 py-6 text-center text-sm text-muted">Nothing has that name.</Command.Empty>
              {pastedId !== null && tenant !== null ? (
                <Item
                  icon={ScrollText}
                  value={`entry ${pastedId}`}
                  onSelect={() => go(`/${tenant}/audit?entry=${pastedId}`)}
                >
                  Open audit entry {pastedId}
                </Item>
              ) : null}
              <Places tenant={tenant} go={go} close={close} />
              {tenant !== null && text !== "" ? <Things tenant={tenant} go={go} /> : null}
              <Acts onShowKeys={onShowKeys} onShowSessions={onShowSessions} close={close} />
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
