import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";
import { buttonClass } from "@/components/ui/button";
import { visitor } from "@/lib/auth/request-context";

export const metadata: Metadata = { title: "No tenant" };

export default async function NoTenantPage() {
  const found = await visitor();
  if (found === null) redirect("/sign-in");
  const { me } = found;
  if (me.tenants.length > 0) redirect("/");
  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-md flex-col justify-center gap-4 px-4 py-12">
      <h1 className="text-lg font-semibold">You are not a member of any tenant</h1>
      <p className="text-sm">
        You are signed in as <strong>{me.email}</strong>, and nobody has invited that address yet, or your access or
        your tenant was suspended. Ask a tenant admin to invite exactly this address, then sign out and in again.
      </p>
      <div className="flex gap-2">
        <form method="post" action="/sign-out">
          <button type="submit" className={buttonClass({ variant: "primary" })}>
            Sign out
          </button>
        </form>
        {me.platformAdmin ? (
          <Link className={buttonClass({ variant: "secondary" })} href="/platform/tenants">
            Manage tenants
          </Link>
        ) : null}
      </div>
    </main>
  );
}
