with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    members as (
        -- customers who were there before the data began belong to no cohort
        select * from {{ ref("dim_customers") }} where {{ is_in_cohort() }}
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
