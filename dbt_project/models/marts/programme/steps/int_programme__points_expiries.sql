{#
  Which lot expired points come from: the latest ones that were due by then, and only where these are used up those due in the
  days of grace. On the axis of points due, an expiry ends at the points due by its day, or before a later expiry that needs them:
  end(k) = X(k) + min over later j of (due(j) - X(j)), X the points expired so far.
#}
with
    entries as (select * from {{ ref("int_programme__points_entries") }}),

    events as (
        select
            account_key,
            entry_key,
            expires_date as event_date,
            0 as event_order,
            balance_points as due_points,
            cast(0 as {{ type_amount() }}) as expired_points
        from entries
        where balance_points > 0 and expires_date is not null
        {% for place, days, points in [
                (1, 0, "- balance_points"),
                (2, var("points_grace_days"), "0"),
            ] %}
            union all
            select
                account_key,
                entry_key,
                {{ add_days("entered_date", days) }},
                {{ place }},
                cast(0 as {{ type_amount() }}),
                cast({{ points }} as {{ type_amount() }})
            from entries
            where kind = 'expire' and balance_points < 0
        {% endfor %}
    ),

    summed as (
        select
            *,
            cast(sum(due_points) over in_time as {{ type_amount() }}) as due_so_far,
            cast(
                sum(expired_points) over in_time as {{ type_amount() }}
            ) as expired_so_far
        from events
        window
            in_time as (
                partition by account_key
                order by event_date, event_order, entry_key
                rows between unbounded preceding and current row
            )
    ),

    lots as (
        select
            account_key,
            entry_key,
            cast(due_so_far - due_points as {{ type_amount() }}) as low_point,
            due_so_far as high_point
        from summed
        where event_order = 0
    ),

    expiries as (
        select
            on_the_day.*,
            greatest(
                on_the_day.due_so_far,
                least(on_the_day.expired_so_far, in_grace.due_so_far)
            ) as open_to
        from summed as on_the_day
        inner join summed as in_grace on on_the_day.entry_key = in_grace.entry_key
        where on_the_day.event_order = 1 and in_grace.event_order = 2
    ),

    placed as (
        select
            account_key,
            entry_key,
            expired_points,
            cast(
                expired_so_far + min(open_to - expired_so_far) over (
                    partition by account_key
                    order by event_date, entry_key
                    rows between current row and unbounded following
                ) as {{ type_amount() }}
            ) as high_point
        from expiries
    ),

    uses as (
        select
            account_key,
            entry_key,
            cast(
                greatest(high_point - expired_points, 0) as {{ type_amount() }}
            ) as low_point,
            high_point
        from placed
        where high_point > 0
    ),

    final as ({{ overlaps("lots", "uses") }})

select *
from final
