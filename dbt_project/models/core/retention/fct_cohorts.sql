with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    -- customers who were there before the data began belong to no cohort
    members as (
        select *
        from {{ ref("dim_customers") }}
        where
            base = 'customer' and first_order_date is not null and not is_left_truncated
    ),

    final as (
        select
            segments.segment_by,
            segments.segment,
            members.first_order_month as cohort_month,
            count(*) as cohort_size,
            -- amounts of several currencies are not added up
            case
                when min(members.currency_code) = max(members.currency_code)
                then min(members.currency_code)
            end as currency_code
        from members
        inner join segments on members.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment, members.first_order_month
    )

select *
from final
