{# A use that no lot covers has overdrawn the account: it stands in the month in which it happened. #}
with
    entries as (select * from {{ ref("int_programme__points_entries") }}),

    matched as (
        select lot_key, use_key, points
        from {{ ref("int_programme__points_expiries") }}
        union all
        select lot_key, use_key, points
        from {{ ref("int_programme__points_first_in") }}
    ),

    covered as (select use_key, sum(points) as points from matched group by use_key),

    together as (
        -- an expiry whose lots were not all due may take points of one lot in both ways
        select lot_key, use_key, sum(points) as points
        from matched
        group by lot_key, use_key
        union all
        select
            cast(null as {{ dbt.type_string() }}),
            entries.entry_key,
            - entries.balance_points - coalesce(covered.points, 0)
        from entries
        left join covered on entries.entry_key = covered.use_key
        where - entries.balance_points - coalesce(covered.points, 0) > 0
    ),

    final as (
        select
            {{ made_key(["together.use_key", "together.lot_key"]) }} as points_use_key,
            together.lot_key,
            together.use_key,
            uses.source,
            uses.programme_key,
            uses.programme_id,
            uses.customer_key,
            uses.kind,
            -- points used before they were earned are overdrawn until then
            least(uses.month, coalesce(lots.month, uses.month)) as vintage_month,
            uses.month,
            lots.expires_date,
            cast(together.points as {{ type_amount() }}) as points
        from together
        inner join entries as uses on together.use_key = uses.entry_key
        left join entries as lots on together.lot_key = lots.entry_key
    )

select *
from final
