"""Addresses of the desk. Each has a row in ``config.access``, which names the right that it needs."""

from django.urls import path

from dashboard.access_list import alert_views as reading_alerts
from dashboard.access_list import views as access_list
from dashboard.account.views import confirm, own, set_up, sign_in
from dashboard.booking_list import views as booking_list
from dashboard.calendar.views import calendar, changes
from dashboard.closures import views as closures
from dashboard.customers import edit_views as customer_edits
from dashboard.customers import merge_views as customer_merge
from dashboard.customers import views as customers
from dashboard.length import views as lengths
from dashboard.me import session_views as session
from dashboard.me import views as me
from dashboard.moving import undo_views as undoing
from dashboard.moving import views as moving
from dashboard.phone_booking import link_views as hold_links
from dashboard.phone_booking import views as phone_booking
from dashboard.presenters.progress import Mark
from dashboard.privacy import case_views as privacy_cases
from dashboard.privacy import retention_views as privacy
from dashboard.proposals import propose_views as proposing
from dashboard.proposals import views as proposals
from dashboard.queue import views as queue
from dashboard.schedule import views as schedule
from dashboard.team.views import accept as invitations
from dashboard.team.views import people as team
from dashboard.views import (
    booking,
    cash_book,
    message_log,
    message_texts,
    messages,
    money_actions,
    progress_steps,
    receipts,
    todo,
    visit_actions,
)
from dashboard.why import views as why_not

urlpatterns = [
    path("messages/", messages.overview, name="desk_messages"),
    path("messages/log/", message_log.log, name="desk_message_log"),
    path("messages/log/messages.csv", message_log.log_csv, name="desk_message_log_csv"),
    path("messages/log/<int:message_id>/again", message_log.again, name="desk_message_again"),
    path("messages/<slug:kind>/<slug:role>/", messages.rules, name="desk_message"),
    path("messages/<slug:kind>/<slug:role>/<slug:channel>/", message_texts.text, name="desk_message_text"),
    path("messages/<slug:kind>/<slug:role>/<slug:channel>/preview", message_texts.preview, name="desk_message_preview"),
    path("bookings/<str:reference>/messages", message_log.of_booking, name="desk_booking_messages"),
    path("", calendar, name="desk"),
    path("changes", changes, name="desk_changes"),
    path("book/", phone_booking.book, name="desk_book"),
    path("holds/<str:reference>/again", hold_links.send_again, name="desk_hold_again"),
    path("holds/<str:reference>/free", hold_links.free, name="desk_hold_free"),
    path("holds/<str:reference>/done", hold_links.done, name="desk_hold_done"),
    path("queue/", queue.queue, name="desk_queue"),
    path("queue/changes", queue.changes, name="desk_queue_changes"),
    path("queue/<int:walk_in_id>/book", queue.book, name="desk_queue_book"),
    path("queue/<int:walk_in_id>/left", queue.leave, name="desk_queue_left"),
    path("queue/<int:walk_in_id>/back", queue.rejoin, name="desk_queue_back"),
    path("why/", why_not.why, name="desk_why"),
    # allauth asks for these two by their names.
    path("sign-in", sign_in.SignIn.as_view(), name="account_login"),
    path("sign-in/second-step", sign_in.SecondStep.as_view(), name="mfa_authenticate"),
    path("sign-out", sign_in.SignOut.as_view(), name="desk_sign_out"),
    path("invitation/<str:token>/", invitations.accept, name="desk_invitation"),
    path("team/", team.overview, name="desk_team"),
    path("team/invite", team.invite_somebody, name="desk_team_invite"),
    path("team/invitations/<int:invitation_id>/withdraw", team.withdraw, name="desk_team_withdraw"),
    path("team/<int:user_id>/", team.member, name="desk_team_member"),
    path("team/<int:user_id>/off", team.off, name="desk_team_off"),
    path("team/<int:user_id>/on", team.on, name="desk_team_on"),
    path("team/<int:user_id>/reset", team.reset, name="desk_team_reset"),
    path("account/set-up", set_up.set_up, name="desk_set_up"),
    path("account/", own.account, name="desk_account"),
    path("account/password", own.password, name="desk_password"),
    path("account/recovery-codes", own.recovery_codes, name="desk_recovery_codes"),
    path("account/second-steps/<int:authenticator_id>/remove", own.remove, name="desk_second_step_remove"),
    path("account/sessions/end", own.end_other_sessions, name="desk_sessions_end"),
    path("account/sessions/<int:session_id>/end", own.end_session, name="desk_session_end"),
    path("account/confirm", confirm.confirm, name="desk_confirm"),
    path("session", confirm.session, name="desk_session"),
    path("bookings/", booking_list.bookings, name="desk_bookings"),
    path("bookings/bookings.csv", booking_list.bookings_csv, name="desk_bookings_csv"),
    path("bookings/<str:reference>/", booking.booking, name="desk_booking"),
    path("bookings/<str:reference>/receipts/<str:number>.pdf", receipts.pdf, name="desk_booking_receipt_pdf"),
    path("bookings/<str:reference>/receipts/<str:number>", receipts.receipt, name="desk_booking_receipt"),
    path("bookings/<str:reference>/take", money_actions.take, name="desk_booking_take"),
    path("bookings/<str:reference>/refund", money_actions.refund, name="desk_booking_refund"),
    path("bookings/<str:reference>/discount", money_actions.discount, name="desk_booking_discount"),
    path("bookings/<str:reference>/approve", money_actions.approve, name="desk_booking_approve"),
    path("bookings/<str:reference>/lower", money_actions.lower, name="desk_booking_lower"),
    path("bookings/<str:reference>/decline", money_actions.decline, name="desk_booking_decline"),
    path("bookings/<str:reference>/hand-back", money_actions.hand_back, name="desk_booking_hand_back"),
    path("bookings/<str:reference>/waive", money_actions.waive, name="desk_booking_waive"),
    path("bookings/<str:reference>/charge", money_actions.charge, name="desk_booking_charge"),
    path("bookings/<str:reference>/stand", money_actions.stand, name="desk_booking_stand"),
    path("bookings/<str:reference>/link", money_actions.link, name="desk_booking_link"),
    path("bookings/<str:reference>/check", money_actions.check, name="desk_booking_check"),
    *(
        path(
            f"bookings/<str:reference>/{mark.replace('_', '-')}",
            progress_steps.mark_view(mark),
            name=f"desk_booking_{mark}",
        )
        for mark in Mark
    ),
    path("bookings/<str:reference>/no-show", visit_actions.missed, name="desk_booking_missed"),
    path("bookings/<str:reference>/came", visit_actions.came, name="desk_booking_came"),
    path("time-off/", schedule.time_off, name="desk_time_off"),
    path("time-off/<int:time_off_id>/answer", schedule.answer, name="desk_time_off_answer"),
    path("time-off/<int:time_off_id>/remove", schedule.remove, name="desk_time_off_remove"),
    path("outside-hours/", closures.outside_hours, name="desk_outside_hours"),
    path("closures/", closures.closures, name="desk_closures"),
    path("closures/new", closures.add, name="desk_closure_new"),
    path("closures/<int:closure_id>/", closures.edit, name="desk_closure"),
    path("me/", me.my_day, name="desk_me"),
    path("me/time-off", me.my_time_off, name="desk_me_time_off"),
    path("bookings/<str:reference>/visit", session.visit, name="desk_booking_visit"),
    path("bookings/<str:reference>/note", session.note, name="desk_booking_note"),
    path("bookings/<str:reference>/follow-up", session.follow_up, name="desk_booking_follow_up"),
    path("bookings/<str:reference>/follow-up-done", session.follow_up_done, name="desk_booking_follow_up_done"),
    path("bookings/<str:reference>/move", moving.move, name="desk_booking_move"),
    path("bookings/<str:reference>/undo-move", undoing.undo_move, name="desk_booking_undo_move"),
    path("bookings/<str:reference>/length", lengths.length, name="desk_booking_length"),
    path("bookings/<str:reference>/cancel", visit_actions.cancel, name="desk_booking_cancel"),
    path("bookings/<str:reference>/keep", closures.keep, name="desk_booking_keep"),
    path("bookings/<str:reference>/answer", visit_actions.request_answer, name="desk_booking_answer"),
    path("bookings/<str:reference>/reply", visit_actions.reply, name="desk_booking_reply"),
    path("bookings/<str:reference>/trust", visit_actions.trust, name="desk_booking_trust"),
    path("customers/", customers.customers, name="desk_customers"),
    path("customers/customers.csv", customers.customers_csv, name="desk_customers_csv"),
    path("customers/new", customer_edits.add, name="desk_customer_new"),
    path("customers/<str:customer_reference>/", customers.customer, name="desk_customer"),
    path("customers/<str:customer_reference>/edit", customer_edits.edit, name="desk_customer_edit"),
    path("customers/<str:customer_reference>/merge", customer_merge.merge, name="desk_customer_merge"),
    path("customers/<str:customer_reference>/tags", customer_edits.tag, name="desk_customer_tags"),
    path("customers/<str:customer_reference>/notes", customer_edits.write, name="desk_customer_notes"),
    path("customers/<str:customer_reference>/notes/<int:note_id>", customer_edits.note, name="desk_customer_note"),
    path("customers/<str:customer_reference>/trust", customer_edits.trust, name="desk_customer_trust"),
    path("proposals/", proposals.overview, name="desk_proposals"),
    path("proposals/new/", proposing.choose, name="desk_propose"),
    path("proposals/new/service/", proposing.new_service, name="desk_propose_new_service"),
    path("proposals/new/service/<slug:slug>/", proposing.service, name="desk_propose_service"),
    path("proposals/new/hours/<slug:place>/", proposing.hours, name="desk_propose_hours"),
    path("proposals/<int:proposal_id>/", proposals.proposal, name="desk_proposal"),
    path("proposals/<int:proposal_id>/decide", proposals.decide, name="desk_proposal_decide"),
    path("proposals/<int:proposal_id>/withdraw", proposals.withdraw, name="desk_proposal_withdraw"),
    path("privacy/", privacy.kept, name="desk_privacy"),
    path("privacy/cases/", privacy_cases.cases, name="desk_privacy_cases"),
    path("privacy/cases/new", privacy_cases.new, name="desk_privacy_case_new"),
    path("privacy/cases/<str:case_reference>/", privacy_cases.case, name="desk_privacy_case"),
    path("privacy/cases/<str:case_reference>/export", privacy_cases.export, name="desk_privacy_case_export"),
    path("privacy/cases/<str:case_reference>/close", privacy_cases.close, name="desk_privacy_case_close"),
    path("privacy/cases/<str:case_reference>/decline", privacy_cases.decline, name="desk_privacy_case_decline"),
    path("privacy/cases/<str:case_reference>/erase", privacy_cases.erase, name="desk_privacy_case_erase"),
    path("access/", access_list.readings, name="desk_access"),
    path("access/access-log.csv", access_list.readings_csv, name="desk_access_csv"),
    path("access/alerts/", reading_alerts.alerts, name="desk_access_alerts"),
    path("access/alerts/<int:reading_alert_id>/done", reading_alerts.done, name="desk_access_alert_done"),
    path("access/limits", reading_alerts.limits, name="desk_access_limits"),
    path("hands/", todo.hands, name="desk_hands"),
    path("hands/<int:alert_id>/", todo.alert, name="desk_alert"),
    path("hands/texts/<int:message_id>/stop", todo.stop_texts, name="desk_text_stop"),
    path("hands/texts/<int:message_id>/done", todo.text_done, name="desk_text_done"),
    path("payments/", cash_book.payments, name="desk_payments"),
    path("payments/payments.csv", cash_book.payments_csv, name="desk_payments_csv"),
]
