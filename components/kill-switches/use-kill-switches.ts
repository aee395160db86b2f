import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMay } from "@/components/shell/me-context";
import { toast } from "@/components/ui/toast";
import { killSwitchesQuery, killSwitchKeys, liftKillSwitch, throwKillSwitch } from "@/lib/client/kill-switches";
import type { KillKind, KillSwitchView } from "@/lib/kill-switches/schemas";

/** The switches in force, and those that were. */
export function useKillSwitches(tenant: string) {
  // Asked without the right, each look would be a refusal in the trail.
  const { data: asked, error, refetch } = useQuery({ ...killSwitchesQuery(tenant), enabled: useMay("tenant:read") });
  const data = asked ?? [];
  return {
    /** False until it is known: then nothing may be said about what is stopped. */
    known: asked !== undefined,
    error,
    refetch,
    thrown: data.filter((each) => each.liftedAt === null),
    lifted: data.filter((each) => each.liftedAt !== null),
  };
}

/** Throws or lifts one, and looks again at what is stopped. */
export function useKillSwitchAct(tenant: string, done: () => void) {
  const client = useQueryClient();
  const settle = async (text: string) => {
    toast.success(text);
    done();
    await client.invalidateQueries({ queryKey: killSwitchKeys.all(tenant) });
  };
  const start = useMutation({
    mutationFn: (what: { kind: KillKind; target: string; reason: string }) => throwKillSwitch(tenant, what),
    onSuccess: () => settle("Stopped. Calls in flight are ended."),
  });
  const end = useMutation({
    mutationFn: ({ id, reason }: { id: KillSwitchView["id"]; reason: string }) => liftKillSwitch(tenant, id, reason),
    onSuccess: () => settle("Lifted. Calls pass again."),
  });
  return { start, end };
}
