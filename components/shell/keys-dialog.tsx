"use client";
import { TENANT_ENTRIES } from "@/components/shell/nav-entries";
import { useSingleKeys } from "@/components/shell/use-single-keys";
import { Dialog } from "@/components/ui/dialog";
import { Kbd } from "@/components/ui/kbd";
import { Label } from "@/components/ui/label";
import { Switch } from "@/components/ui/switch";

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [["Ctrl", "K"], "Search and go anywhere"],
  [["/"], "Filter this page"],
  [["?"], "This list"],
  [["↑", "↓"], "Move in a list"],
  [["Enter"], "Open the row"],
  [["Esc"], "Close"],
  ...TENANT_ENTRIES.map((entry) => [["g", entry.key], `Go to ${entry.label.toLowerCase()}`] as const),
];

export function KeysDialog({
  open,
  onOpenChange,
}: {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}) {
  const [singleKeys, setSingleKeys] = useSingleKeys();
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keys" size="sm">
      <dl className="flex flex-col gap-2">
        {KEYS.map(([keys, does]) => (
          <div key={does} className="flex items-center justify-between gap-4 text-sm">
            <dt>{does}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <div className="mt-4 flex items-center justify-between gap-4 border-t border-line pt-4">
        <Label htmlFor="single-keys">Single-key shortcuts</Label>
        <Switch id="single-keys" checked={singleKeys} onCheckedChange={setSingleKeys} />
      </div>
    </Dialog>
  );
}
