{# The state of every feed on the as-of date: what came last, how far it reaches, how much of it is in use. #}
with
    deliveries as (select * from {{ source("raw", "deliveries") }}),

    loads as (select * from {{ source("raw", "loads") }}),

    quarantined_rows as (select * from {{ source("raw", "quarantined_rows") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    delivered as (
        select
            feed_name,
            source,
            min(feed) as feed,
            count(*) as delivery_count,
            {{ count_where("outcome = 'rejected'") }} as rejected_count,
            max(received_at) as last_received_at
        from deliveries
        group by feed_name, source
    ),

    used as (
        select
            feed_name,
            source,
            count(*) as load_count,
            sum(row_count) as row_count,
            max(export_date) as newest_export_date
        from loads
        group by feed_name, source
    ),

    -- a row that is broken in several loads is open in the newest one alone
    quarantined as (
        select
            feed_name, source, {{ count_where("status = 'open'") }} as quarantined_count
        from quarantined_rows
        group by feed_name, source
    ),

    final as (
        select
            {{ made_key(["delivered.source", "delivered.feed_name"]) }} as feed_key,
            delivered.source,
            delivered.feed_name,
            delivered.feed,
            as_of.as_of,
            used.newest_export_date,
            cast(
                {{ days_between("used.newest_export_date", "as_of.as_of") }} as bigint
            ) as days_behind,
            delivered.last_received_at,
            delivered.delivery_count,
            delivered.rejected_count,
            {{
                div(
                    "delivered.delivery_count - delivered.rejected_count",
                    "delivered.delivery_count",
                )
            }} as accepted_rate,
            coalesce(used.load_count, 0) as load_count,
            coalesce(cast(used.row_count as bigint), 0) as row_count,
            coalesce(quarantined.quarantined_count, 0) as quarantined_count
        from delivered
        cross join as_of
        left join used using (feed_name, source)
        left join quarantined using (feed_name, source)
    )

select *
from final
