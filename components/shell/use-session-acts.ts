"use client";
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { toast } from "@/components/ui/toast";
import { endSession, switchTenant } from "@/lib/client/session";

const sayWhy = (what: string) => (cause: Error) => toast.error(what, { description: cause.message });

/** Leaving, and going over to another tenant. */
export function useSessionActs() {
  const router = useRouter();
  const leaving = useMutation({ mutationFn: endSession, onError: sayWhy("You are still signed in") });
  const switching = useMutation({
    mutationFn: switchTenant,
    onSuccess: (_, tenant) => router.push(`/${tenant}`),
    onError: sayWhy("The tenant was not switched"),
  });
  return { signOut: () => leaving.mutate(), goToTenant: (tenant: string) => switching.mutate(tenant) };
}
