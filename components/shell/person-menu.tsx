"use client";
import { CircleUser, Keyboard, LogOut, MonitorSmartphone, Moon, Sun } from "lucide-react";
import { useTheme } from "next-themes";
import { useSessionActs } from "@/components/shell/use-session-acts";
import { Button } from "@/components/ui/button";
import { DropdownMenu, MenuItem, MenuLabel, MenuSeparator } from "@/components/ui/dropdown-menu";
import type { MeView } from "@/lib/tenants/schemas";

type Props = { readonly me: MeView; readonly onShowKeys: () => void; readonly onShowSessions: () => void };

export function PersonMenu({ me, onShowKeys, onShowSessions }: Props) {
  const { resolvedTheme, setTheme } = useTheme();
  const { signOut } = useSessionActs();
  const dark = resolvedTheme === "dark";
  return (
    <DropdownMenu
      trigger={
        <Button variant="ghost" size="icon" aria-label={`${me.name}, account`}>
          <CircleUser aria-hidden />
        </Button>
      }
    >
      <MenuLabel>
        <span className="block text-sm text-text">{me.name}</span>
        {me.email}
        <span className="mt-1 block">
          {me.platformAdmin ? "platform admin" : null}
          {me.platformAdmin && me.roles.length > 0 ? ", " : null}
          {me.roles.join(", ")}
        </span>
      </MenuLabel>
      <MenuSeparator />
      <MenuItem className="sm:hidden" onSelect={() => setTheme(dark ? "light" : "dark")}>
        {dark ? <Sun aria-hidden /> : <Moon aria-hidden />} {dark ? "Light theme" : "Dark theme"}
      </MenuItem>
      <MenuItem onSelect={onShowKeys}>
        <Keyboard aria-hidden /> Keys
      </MenuItem>
      <MenuItem onSelect={onShowSessions}>
        <MonitorSmartphone aria-hidden /> Your sessions
      </MenuItem>
      <MenuItem onSelect={signOut}>
        <LogOut aria-hidden /> Sign out
      </MenuItem>
    </DropdownMenu>
  );
}
