"""The texts in English; as in `texts_fr`, kind by kind."""

from collections.abc import Mapping

from dispatch.model.notices import NoticeKind

GREETING = "Hello {first_name},"
SIGNATURE = "{call_us}\nThe team of {territory}"
SPOKEN = "Hello, this is {territory}."
ANSWER, LOOK, ENTER = "Answer here: {link}", "See the details: {link}", "{link}"

#: kind -> subject, sentences, short message
TEXTS: Mapping[NoticeKind, tuple[str, str, str]] = {
    "offer_sent": (
        "A ride on {day}: can you do it?",
        "Can you drive {passenger} on {day} at {time}?\n{details}\n"
        "Please answer before {until}. If you cannot, just say so: we will ask somebody else.",
        "{first_name}, can you drive {passenger} on {day} at {time}? Please answer before {until}: {link}\n"
        "Or answer YES {answer_code} or NO {answer_code}.",
    ),
    "offer_reminder": (
        "A ride on {day} is waiting for your answer",
        "We asked whether you can drive {passenger} on {day} at {time}, and are still waiting for your answer.\n{details}\n"
        "Please say yes or no before {until}.",
        "{first_name}, yes or no for {passenger}, {day} at {time}? Before {until}: {link}\n"
        "Or answer YES {answer_code} or NO {answer_code}.",
    ),
    "offer_withdrawn": (
        "The ride on {day} is no longer needed",
        "The ride we asked you about, on {day} at {time}, is no longer needed. There is nothing to answer. Thank you all the same!",
        "The ride on {day} at {time} is no longer needed. Nothing to answer, thank you! {territory}",
    ),
    "offer_lapsed": (
        "No answer: {day}, {time}",
        "{driver} did not answer in time about the ride of {passenger} on {day} at {time}. The ride is to be planned again.",
        "No answer from {driver} about {passenger}, {when}. The ride is to be planned again.",
    ),
    "run_published": (
        "Your round on {day}",
        "Your round on {day} is ready: {rides}, leaving home at {time}. Thank you!",
        "Your round on {day}: {rides}, leaving at {time}. {link}",
    ),
    "run_changed": (
        "Your round on {day} has changed",
        "Your round on {day} has changed: {rides}, leaving home at {time}. Please look at the new run sheet.",
        "Your round on {day} has changed: {rides}, leaving at {time}. {link}",
    ),
    "run_cancelled": (
        "Your round on {day} is cancelled",
        "Your round on {day} at {time} is cancelled: there is no need to set out.\n{reason}",
        "Your round on {day} at {time} is cancelled. Thank you all the same! {territory}",
    ),
    "ride_confirmed": (
        "{driver} will pick you up on {day}",
        "{driver_and_car} will pick you up on {day}, {window}.",
        "{driver_and_car} will pick you up on {day}, {window}. {territory}\n{link}\nTo cancel: CANCEL {answer_code}.",
    ),
    "ride_reminder": (
        "A reminder: {driver} picks you up on {day}",
        "A reminder of your ride: {driver_and_car} picks you up on {day}, {window}.",
        "A reminder: {driver_and_car} picks you up on {day}, {window}. {territory}\n{link}\nTo cancel: CANCEL {answer_code}.",
    ),
    "ride_changed": (
        "Your ride on {day} has changed",
        "Your ride has changed: {driver_and_car} will pick you up on {day}, {window}.",
        "A change: {driver_and_car} will pick you up on {day}, {window}. {territory}\n{link}\nTo cancel: CANCEL {answer_code}.",
    ),
    "ride_cancelled": (
        "Your ride on {day} is cancelled",
        "Your ride on {day} at {time} is cancelled. We are sorry.\n{reason}\n"
        "If you still need it, tell us: we will look for another way together.",
        "Your ride on {day} at {time} is cancelled, sorry. {call_us} {territory}",
    ),
    "ride_late": (
        "{driver} will be a little late",
        "{driver} will be a little late, and with you at about {time}. Thank you for your patience.",
        "{driver} will be a little late, and with you at about {time}. Thank you for your patience. {territory}\n{link}",
    ),
    "ride_unmet": (
        "No driver for your ride on {day}",
        "We are sorry: we found nobody for your ride on {day} at {time}.\n{reason}\n"
        "Another time or another day may work better: let us talk about it.",
        "Sorry, we found nobody for {day} at {time}. Another time, another day? {call_us} {territory}",
    ),
    "request_received": (
        "We have your request",
        "We have your request for {day} at {time}. We are looking for a volunteer and will tell you as soon as we can.",
        "We have your request for {day} at {time}. We are looking for a volunteer and will tell you soon. {territory}\n{link}",
    ),
    "request_refused": (
        "Your request for {day}",
        "We are sorry: we cannot do the ride you asked for on {day} at {time}.\n{reason}",
        "Sorry, we cannot do the ride on {day} at {time}. {reason} {territory}",
    ),
    "cancel_confirmed": (
        "It is cancelled",
        "Noted: the ride on {day} at {time} is cancelled.",
        "Noted: the ride on {day} at {time} is cancelled. {territory}",
    ),
    "will_call_heard": (
        "We are coming",
        "We have heard that you are ready to go home. Stay where it is warm, somebody is coming for you.\nIt takes about {minutes}.",
        "Got it, somebody is coming for you. Stay where it is warm! {territory}\n{link}",
    ),
    "credential_expiring": (
        "A paper to be renewed: {document}",
        "Your {document} expires on {expiry}. Please give us the new one before that day.",
        "{first_name}, your {document} expires on {expiry}. Please give us the new one. {territory}",
    ),
    "credential_expired": (
        "A paper has expired: {document}",
        "Your {document} has expired. We can only ask you for rides once we have the new one. Please give it to us.",
        "{first_name}, your {document} has expired: we need the new one before any other ride. {territory}",
    ),
    "driver_needed": (
        "A driver is missing: {when}",
        "A driver is missing for {passenger}, {when}.\n{reason}",
        "A driver is missing for {passenger}, {when}. {reason}",
    ),
    "legs_reopened": (
        "To be planned again: {rides}",
        "To be planned again: {rides}.\n{driver} cannot drive any more.\nThe first: {when}.\n{reason}",
        "To be planned again: {rides}. {when}",
    ),
    "login_link": (
        "Your link",
        "Here is your link. It works once; do not give it to anybody.",
        "Your link, it works once: {link}",
    ),
    "login_code": (
        "Your code",
        "Your code is {code}. Do not give it to anybody.",
        "Your code is {code}. Do not give it to anybody.",
    ),
    "sms_answered": (
        "Your message",
        "{reason}",
        "{reason} {territory}",
    ),
}
