-- What the demo made is marked, so that a process with DEMO=0 can refuse its credentials whatever database it is given.
ALTER TABLE "tenants" ADD COLUMN "demo" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "users" ADD COLUMN "demo" BOOLEAN NOT NULL DEFAULT false;
