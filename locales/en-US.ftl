# What American English writes in another way; everything else is as in en.ftl.

subject-cancellation = Canceled: { $title }
opening-cancellation = { $organizer } has canceled { this-item }.
page-cancelled = This has been canceled
not-taken-cancelled = This has been canceled, so there is nothing to answer any more.
date = { month } { $day }, { $year }
date-weekday = { $weekday }, { $date }
time = { $half ->
    [am] { $hour12 }:{ $minute } AM
   *[pm] { $hour12 }:{ $minute } PM
}
day-of-year = { month } { $day }
