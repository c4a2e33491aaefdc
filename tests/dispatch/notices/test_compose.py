"""What a text says of people, with what the vault knows of them."""

from dispatch.notices.compose import text_of
from dispatch.notices.outbox import queue_notice
from dispatch.storage.database import Database
from routing.network import RoadNetwork
from tests.dispatch.territories import TestTerritory, at


def test_people_are_told_by_the_car_whom_to_look_for(sqlite: Database, demo_roads: RoadNetwork) -> None:
    place = TestTerritory(sqlite, demo_roads)
    person = place.person()
    for car, said in (("Renault Clio grise", "Jean (Renault Clio grise)"), (None, "Jean ")):
        facts = {"pickup_from": at("10:00"), "pickup_to": at("10:15"), "volunteer_id": place.volunteer(car=car, span=None)}
        with place.store() as store:
            notice = queue_notice(store, "ride_confirmed", person, place.world.new_id(), place.world, facts=facts)
            body = text_of(store, notice, "sms", "fr", store.identity(person)).body
        assert said in body
        assert "None" not in body
