-- Guarantees that PostgreSQL keeps by itself, after the tables of 0002. Names are those that tests drop one at a time.

-- I2: two active runs of one volunteer never overlap. `starts_at < ends_at` and NOT NULL keep empty and unbounded ranges out.
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE run ADD CONSTRAINT ex_run_overlap
    EXCLUDE USING gist (volunteer_id WITH =, tstzrange(starts_at, ends_at, '[)') WITH &&)
    WHERE (state IN ('planned', 'published', 'started'));
-- Whoever claims a volunteer's time waits here: an exclusion constraint alone lets two claims find each other and ends one as a deadlock.
CREATE FUNCTION wait_for_volunteer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.volunteer_id::text, 0));
    RETURN NEW;
END $$;
CREATE TRIGGER a_wait_for_volunteer BEFORE INSERT ON run FOR EACH ROW EXECUTE FUNCTION wait_for_volunteer();
ALTER TABLE run ADD CONSTRAINT ck_run_bounded CHECK (isfinite(starts_at) AND isfinite(ends_at));

-- I8, I9: a state is changed by an event; the event must begin where the subject is, and be the next one.
CREATE FUNCTION carry_out_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    subject text := CASE NEW.kind WHEN 'request' THEN 'trip_request' ELSE NEW.kind END;
    extra text := CASE NEW.kind WHEN 'offer' THEN ', answered_at = $6, decline_reason = $7' ELSE '' END;
    found integer;
BEGIN
    EXECUTE format('UPDATE %I SET state = $1, version = $2%s WHERE id = $3 AND territory_id = $4 AND state = $5 AND version = $2 - 1', subject, extra)
        USING NEW.after, NEW.seq, NEW.subject_id, NEW.territory_id, NEW.before, NEW.at, NEW.reason;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found <> 1 THEN
        RAISE EXCEPTION 'the subject is elsewhere' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER carry_out AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION carry_out_event();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never changed or removed', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The state and version of a row are those of its newest event; a new row begins at the beginning.
CREATE FUNCTION state_follows_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    newest event%ROWTYPE;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> TG_ARGV[0] OR NEW.version <> 0 THEN
            RAISE EXCEPTION 'not at its beginning' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NEW.state <> OLD.state OR NEW.version <> OLD.version THEN
        SELECT * INTO newest FROM event WHERE subject_id = NEW.id ORDER BY seq DESC LIMIT 1;
        IF newest IS NULL OR newest.after <> NEW.state OR newest.seq <> NEW.version THEN
            RAISE EXCEPTION 'no event led here' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER state_follows BEFORE INSERT OR UPDATE ON trip_request FOR EACH ROW EXECUTE FUNCTION state_follows_events('submitted');
CREATE TRIGGER state_follows BEFORE INSERT OR UPDATE ON leg FOR EACH ROW EXECUTE FUNCTION state_follows_events('pending');
CREATE TRIGGER state_follows BEFORE INSERT OR UPDATE ON offer FOR EACH ROW EXECUTE FUNCTION state_follows_events('sent');
CREATE TRIGGER state_follows BEFORE INSERT OR UPDATE ON round FOR EACH ROW EXECUTE FUNCTION state_follows_events('queued');
CREATE TRIGGER state_follows BEFORE INSERT OR UPDATE ON run FOR EACH ROW EXECUTE FUNCTION state_follows_events('planned');

-- Roles: `allons_app` answers people, `allons_solver` saves plans, `allons_auditor` reads the log. None of them can log in by itself; whoever
-- may log in is a member (docs/serving.md). They belong to the cluster, and may be there already.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['allons_app', 'allons_solver', 'allons_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
        EXECUTE format('GRANT %I TO CURRENT_USER', name);
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', name);
        EXECUTE format('GRANT SELECT ON alembic_version, transition, territory TO %I', name);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    api_key, beneficiary, volunteer, availability, refusal, trip_request, leg, round, run, assignment, offer, offer_leg, unserved_leg TO allons_app;
GRANT INSERT, UPDATE ON territory TO allons_app;
GRANT SELECT, INSERT ON event TO allons_app, allons_solver;
GRANT SELECT ON beneficiary, volunteer, availability, refusal, trip_request, leg, round, run, assignment, offer, offer_leg TO allons_solver;
GRANT INSERT ON round, run, assignment, offer, offer_leg, unserved_leg TO allons_solver;
GRANT UPDATE ON round TO allons_solver;
GRANT UPDATE (state, version) ON leg TO allons_solver;
GRANT UPDATE (state, version, starts_at, ends_at) ON run TO allons_solver;
GRANT UPDATE (state, version, answered_at, decline_reason) ON offer TO allons_solver;
GRANT UPDATE (open) ON offer_leg TO allons_solver;
GRANT UPDATE (run_id, pickup_at, dropoff_at, active) ON assignment TO allons_solver;
GRANT SELECT ON unserved_leg TO allons_solver;
GRANT SELECT ON event, trip_request, leg, round, run, offer, assignment TO allons_auditor;

-- I11: who works in one territory sees, counts and touches nothing of another. Without a territory there is nothing at all.
CREATE FUNCTION acting_territory() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('allons.territory', true), '')::uuid
$$;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['beneficiary', 'volunteer', 'availability', 'refusal', 'trip_request', 'leg', 'round', 'run', 'assignment',
                                'offer', 'offer_leg', 'unserved_leg', 'event', 'api_key'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        IF name <> 'api_key' THEN
            EXECUTE format('CREATE POLICY own_territory ON %I USING (territory_id = acting_territory())', name);
        END IF;
    END LOOP;
END $$;
-- Keys are looked for before the territory is known; inside a territory only its own are there.
CREATE POLICY own_territory ON api_key USING (acting_territory() IS NULL OR territory_id = acting_territory());

-- I7: what a person agreed on is not the planner's to move: no confirmed leg, no accepted offer, no run that somebody who agreed rides in.
-- It may note that the car comes a little later, within what the territory counts as kept, and change the run around that.
CREATE FUNCTION only_plans() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT pg_has_role(current_user, 'allons_app', 'USAGE')
$$;
CREATE FUNCTION refuse_move() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'this was agreed on' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION kept_within(of_territory uuid, told timestamptz) RETURNS tstzrange LANGUAGE sql STABLE AS $$
    SELECT tstzrange(told - tolerance, told + tolerance + rounding, '[]') FROM (
        SELECT make_interval(mins => coalesce((policy->>'promise_tolerance_minutes')::integer, 10)) AS tolerance,
               make_interval(mins => coalesce((policy->>'told_rounding_minutes')::integer, 5)) AS rounding
        FROM territory WHERE id = of_territory) AS chosen
$$;

CREATE FUNCTION keep_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF only_plans() AND NOT (NEW.kind IN ('round', 'run')
        OR NEW.kind = 'leg' AND NEW.before IN ('pending', 'standby', 'offered') AND NEW.after IN ('pending', 'standby', 'offered')
        OR NEW.kind = 'offer' AND NEW.before = 'sent' AND NEW.after = 'withdrawn') THEN
        PERFORM refuse_move();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_agreed BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION keep_agreed();

CREATE FUNCTION keep_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF only_plans() AND (OLD.state NOT IN ('planned', 'published') OR NEW.state NOT IN (OLD.state, 'cancelled')) THEN
        PERFORM refuse_move();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_run BEFORE UPDATE ON run FOR EACH ROW EXECUTE FUNCTION keep_run();

CREATE FUNCTION keep_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF only_plans() AND (NEW.locked OR TG_OP = 'UPDATE' AND OLD.locked) AND (TG_OP = 'INSERT'
        OR (NEW.leg_id, NEW.volunteer_id, NEW.told_pickup_at, NEW.active, NEW.locked)
            IS DISTINCT FROM (OLD.leg_id, OLD.volunteer_id, OLD.told_pickup_at, OLD.active, OLD.locked)
        OR NOT NEW.pickup_at <@ kept_within(NEW.territory_id, NEW.told_pickup_at)
        OR NEW.dropoff_at > NEW.pickup_at + interval '1 day') THEN
        PERFORM refuse_move();
    END IF;
    IF NEW.locked AND (TG_OP = 'INSERT' OR NOT OLD.locked) THEN
        PERFORM FROM run r WHERE r.id = NEW.run_id FOR SHARE; -- who ends this run meanwhile waits, and then sees who rides in it
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_locked BEFORE INSERT OR UPDATE ON assignment FOR EACH ROW EXECUTE FUNCTION keep_locked();

-- When all is done, whoever agreed rides in a run of that volunteer at that time. Looked at in the end, since a plan replaces runs as a whole.
CREATE FUNCTION keep_ridden() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF only_plans() AND NEW.territory_id IS DISTINCT FROM acting_territory() OR EXISTS (SELECT FROM assignment a
        WHERE a.run_id = (to_jsonb(NEW)->>TG_ARGV[0])::uuid AND a.active AND a.locked AND NOT EXISTS (SELECT FROM run r
            WHERE r.id = a.run_id AND r.volunteer_id = a.volunteer_id AND r.state <> 'cancelled'
            AND tstzrange(r.starts_at, r.ends_at) && kept_within(a.territory_id, a.told_pickup_at))) THEN
        PERFORM refuse_move();
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER keep_ridden AFTER UPDATE ON run DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_ridden('id');
CREATE CONSTRAINT TRIGGER keep_ridden AFTER INSERT OR UPDATE ON assignment DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION keep_ridden('run_id');

CREATE FUNCTION keep_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF only_plans() AND EXISTS (SELECT FROM offer o WHERE o.id = NEW.offer_id AND o.state = 'accepted') THEN
        PERFORM refuse_move();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_accepted BEFORE INSERT OR UPDATE ON offer_leg FOR EACH ROW EXECUTE FUNCTION keep_accepted();
